/* Data that packages of R carry: lazy-load databases, a folder with Rdata.rdx and Rdata.rdb [R Internals, "Serialization Formats"].
 * SPDX-License-Identifier: Apache-2.0
 *
 *     rdata *db;
 *     const rdata_value *frame, *column;
 *     rdata_open(folder, &db, message, sizeof message);
 *     rdata_get(db, "InstEval", &frame, message, sizeof message);
 *     column = rdata_column(frame, "y");
 *     for (i = 0; i < rdata_length(column); ++i) use(rdata_integers(column)[i]);
 *     rdata_close(db);
 *
 * Files may hold anything: what is damaged, too large or of a kind that is not read gives a message, never a crash.
 */
#ifndef SAMPLES_RDATA_H
#define SAMPLES_RDATA_H

#include <stddef.h>
#include <stdint.h>

/* An open database. It owns all that was read from it. */
typedef struct rdata rdata;
/* A vector, list or data frame. The functions on values take NULL for "nothing there", so that look-ups can be nested. */
typedef struct rdata_value rdata_value;

typedef enum rdata_status { RDATA_OK = 0, RDATA_MISSING = 1, RDATA_DAMAGED = 2, RDATA_NO_MEMORY = 3 } rdata_status;

typedef enum rdata_type {
    RDATA_NULL = 0,
    RDATA_LOGICAL = 1, /* integers 0 and 1 */
    RDATA_INTEGER = 2, /* factors too: codes from 1, with rdata_levels */
    RDATA_REAL = 3,
    RDATA_STRING = 4,
    RDATA_LIST = 5, /* data frames too: a list of columns */
    RDATA_OTHER = 6 /* symbols, environments, calls: present, but without content here */
} rdata_type;

/* R's NA among integers and logicals; among reals it is a NaN, among strings NULL. */
#define RDATA_NA INT32_MIN

/* On failure *out is untouched and message says what is wrong. RDATA_MISSING: a file cannot be opened. */
rdata_status rdata_open(const char *folder, rdata **out, char *message, size_t nbytes);
/* The same from the content of the two files, which is copied. */
rdata_status rdata_open_memory(const void *rdx, size_t rdx_bytes, const void *rdb, size_t rdb_bytes, rdata **out, char *message,
                               size_t nbytes);
void rdata_close(rdata *db);

/* The names of the objects, 0 to count-1. */
int64_t rdata_count(const rdata *db);
const char *rdata_name(const rdata *db, int64_t i);
/* Reads an object; it lives as long as db. RDATA_MISSING: there is none of that name. */
rdata_status rdata_get(rdata *db, const char *name, const rdata_value **out, char *message, size_t nbytes);

rdata_type rdata_kind(const rdata_value *v);
/* Elements of a vector or list; 0 for all else. */
int64_t rdata_length(const rdata_value *v);
/* The elements; NULL where v is of another type or empty. A factor's codes are RDATA_NA or from 1 to the number of levels. */
const int32_t *rdata_integers(const rdata_value *v);
const double *rdata_reals(const rdata_value *v);
/* The bytes of string i, without a terminator; NULL for NA, for another type and for i outside. */
const char *rdata_string(const rdata_value *v, int64_t i, int64_t *nbytes);
/* Item i of a list; NULL outside. */
const rdata_value *rdata_item(const rdata_value *v, int64_t i);
/* An attribute ("names", "dim", ...), or NULL. */
const rdata_value *rdata_attribute(const rdata_value *v, const char *name);

/* A factor's levels, strings; NULL where v is no factor. */
const rdata_value *rdata_levels(const rdata_value *v);
/* The rows of a data frame; -1 where v is none or its columns differ in length. */
int64_t rdata_rows(const rdata_value *v);
/* The item of a named list, or column of a data frame, of that name; NULL where there is none. */
const rdata_value *rdata_column(const rdata_value *v, const char *name);

#endif
