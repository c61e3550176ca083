// The reader of R's databases: what it gives, and what it says about damaged files. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "rdata_writer.h"
#include "scratch.h"

extern "C" {
#include "data.h"
#include "rdata.h"
}

namespace {

using r::operator+;

std::string text_of(const rdata_value *v, int64_t i) {
    int64_t n = 0;
    const char *s = rdata_string(v, i, &n);
    return s ? std::string(s, static_cast<size_t>(n)) : "(none)";
}

class Rdata : public Scratch {
protected:
    void TearDown() override {
        rdata_close(db);
        Scratch::TearDown();
    }

    rdata_status open(const r::Database &files) {
        rdata_close(db);
        db = nullptr;
        return rdata_open_memory(files.rdx.data(), files.rdx.size(), files.rdb.data(), files.rdb.size(), &db, message,
                                 sizeof message);
    }

    // The object of a database that has no other, or NULL and a message.
    const rdata_value *read(const r::Database &files) {
        const rdata_value *v = nullptr;
        EXPECT_EQ(open(files), RDATA_OK) << message;
        if (db) status = rdata_get(db, "x", &v, message, sizeof message);
        EXPECT_EQ(status == RDATA_OK, v != nullptr);
        return v;
    }
    const rdata_value *read(const Bytes &object) { return read(r::database({{"x", object}})); }
    // Of the plain bytes of an entry.
    const rdata_value *read_plain(const Bytes &plain) { return read(r::database_of_entries({{"x", r::entry(plain)}})); }

    void expect_damaged(const rdata_value *v, const char *part_of_message) {
        EXPECT_EQ(v, nullptr);
        EXPECT_EQ(status, RDATA_DAMAGED);
        EXPECT_TRUE(says(part_of_message)) << message;
    }

    rdata *db = nullptr;
    rdata_status status = RDATA_OK;
};

Bytes frame() {
    return r::list({r::integers({3, 1, RDATA_NA}), r::reals({0.5, -1, 2}), r::factor({2, RDATA_NA, 1}, {"low", "high"})},
                   {{"names", r::strings({"count", "weight", "level"})},
                    {"class", r::strings({"data.frame"})},
                    {"row.names", r::integers({RDATA_NA, -3})}});
}

TEST_F(Rdata, vectors_of_every_type) {
    const double inf = std::numeric_limits<double>::infinity();
    const rdata_value *v =
        read(r::list({r::integers({1, -2, RDATA_NA}), r::integers({1, 0}, {}, 10), r::reals({1.5, -0.0, inf}),
                      r::vector(16, 3, r::chars("a b") + r::na() + r::chars(""), {}), r::null(), r::strings({})}));
    ASSERT_NE(v, nullptr) << message;
    EXPECT_EQ(rdata_kind(v), RDATA_LIST);
    ASSERT_EQ(rdata_length(v), 6);

    const rdata_value *x = rdata_item(v, 0);
    EXPECT_EQ(rdata_kind(x), RDATA_INTEGER);
    EXPECT_EQ(std::vector<int32_t>(rdata_integers(x), rdata_integers(x) + 3), (std::vector<int32_t>{1, -2, RDATA_NA}));
    EXPECT_EQ(rdata_reals(x), nullptr);
    EXPECT_EQ(text_of(x, 0), "(none)");

    x = rdata_item(v, 1);
    EXPECT_EQ(rdata_kind(x), RDATA_LOGICAL);
    EXPECT_EQ(rdata_integers(x)[1], 0);

    x = rdata_item(v, 2);
    EXPECT_EQ(rdata_kind(x), RDATA_REAL);
    EXPECT_EQ(rdata_reals(x)[0], 1.5);
    EXPECT_TRUE(std::signbit(rdata_reals(x)[1]));
    EXPECT_EQ(rdata_reals(x)[2], inf);
    EXPECT_EQ(rdata_integers(x), nullptr);

    x = rdata_item(v, 3);
    EXPECT_EQ(rdata_kind(x), RDATA_STRING);
    EXPECT_EQ(rdata_length(x), 3);
    EXPECT_EQ(text_of(x, 0), "a b");
    EXPECT_EQ(text_of(x, 1), "(none)") << "NA";
    EXPECT_EQ(text_of(x, 2), "") << "an empty string is not NA";
    EXPECT_EQ(text_of(x, 3), "(none)");
    EXPECT_EQ(text_of(x, -1), "(none)");

    EXPECT_EQ(rdata_kind(rdata_item(v, 4)), RDATA_NULL);
    EXPECT_EQ(rdata_length(rdata_item(v, 5)), 0);
    EXPECT_EQ(rdata_item(v, 6), nullptr);
    EXPECT_EQ(rdata_length(nullptr), 0);
    EXPECT_EQ(rdata_attribute(nullptr, "names"), nullptr);
}

TEST_F(Rdata, data_frame_with_a_factor) {
    const rdata_value *v = read(frame());
    ASSERT_NE(v, nullptr) << message;
    EXPECT_EQ(rdata_rows(v), 3);
    EXPECT_EQ(rdata_integers(rdata_column(v, "count"))[1], 1);
    EXPECT_EQ(rdata_reals(rdata_column(v, "weight"))[2], 2);
    EXPECT_EQ(rdata_column(v, "wei"), nullptr);
    const rdata_value *level = rdata_column(v, "level");
    EXPECT_EQ(rdata_integers(level)[0], 2);
    EXPECT_EQ(rdata_length(rdata_levels(level)), 2);
    EXPECT_EQ(text_of(rdata_levels(level), 1), "high");
    EXPECT_EQ(rdata_levels(rdata_column(v, "count")), nullptr) << "no factor";
    EXPECT_EQ(rdata_rows(level), -1) << "no data frame";
}

TEST_F(Rdata, columns_that_differ_in_length_have_no_rows) {
    EXPECT_EQ(rdata_rows(read(r::list({r::integers({1}), r::integers({1, 2})}, {{"class", r::strings({"data.frame"})}}))), -1);
}

TEST_F(Rdata, symbols_by_reference) {
    // "names" is written once; the other two name it by its number, in the two forms of the format.
    const Bytes v1 = r::vector(13 | r::kAttributes, 1, r::word(7), {}) + r::pairs({{"names", r::strings({"a"})}});
    const Bytes v2 =
        r::vector(13 | r::kAttributes, 1, r::word(8), {}) + r::word(2 | r::kTag) + r::word(0x1ff) + r::strings({"b"}) + r::null();
    const Bytes v3 = r::vector(13 | r::kAttributes, 1, r::word(9), {}) + r::word(2 | r::kTag) + r::word(0xff) + r::word(1) +
                     r::strings({"c"}) + r::null();
    const rdata_value *v = read(r::list({v1, v2, v3}));
    ASSERT_NE(v, nullptr) << message;
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(text_of(rdata_attribute(rdata_item(v, i), "names"), 0), std::string(1, static_cast<char>('a' + i)));
    expect_damaged(read(r::list({v2})), "reference");
    expect_damaged(read(r::word(0xff) + r::word(0)), "reference");
}

TEST_F(Rdata, sequences_and_wrapped_vectors) {
    const rdata_value *v =
        read(r::list({r::compact("compact_intseq", r::reals({4, 10, -3})), r::compact("compact_realseq", r::reals({3, 0, 1})),
                      r::compact("wrap_string", r::list({r::strings({"w"}), r::integers({0, 0})}))}));
    ASSERT_NE(v, nullptr) << message;
    const int32_t *whole = rdata_integers(rdata_item(v, 0));
    EXPECT_EQ(std::vector<int32_t>(whole, whole + 4), (std::vector<int32_t>{10, 7, 4, 1}));
    EXPECT_EQ(rdata_length(rdata_item(v, 1)), 3);
    EXPECT_EQ(rdata_reals(rdata_item(v, 1))[2], 2);
    EXPECT_EQ(text_of(rdata_item(v, 2), 0), "w");

    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const std::vector<double> &wrong : std::vector<std::vector<double>>{
             {1e12, 1, 1}, {-1, 1, 1}, {2.5, 1, 1}, {nan, 1, 1}, {10, 3e9, 1}, {10, 1, 1e9}, {10, nan, 1}, {10, 1, nan}, {10, 1}})
        expect_damaged(read(r::compact("compact_intseq", r::reals(wrong))), "sequence");
    // Each plausible, not all together.
    expect_damaged(read(r::list(std::vector<Bytes>(9, r::compact("compact_intseq", r::reals({2e6, 1, 1}))))), "sequence");
    expect_damaged(read(r::compact("mmap_real", r::null())), "mmap_real");
}

TEST_F(Rdata, environments_and_calls_are_passed_over) {
    const Bytes call = r::word(6) + r::symbol("~") + r::word(2) + r::symbol("y") + r::null();
    const Bytes environment =
        r::word(4) + r::word(0) + r::word(253) + r::null() + r::list({r::pairs({{"a", r::integers({1})}})}) + r::null();
    const Bytes space = r::word(249) + r::word(0) + r::word(2) + r::chars("stats") + r::chars("4.2.1");
    const rdata_value *v = read(r::list({call, environment, space, r::word(241), r::integers({5})}));
    ASSERT_NE(v, nullptr) << message;
    ASSERT_EQ(rdata_length(v), 5);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(rdata_kind(rdata_item(v, i)), RDATA_OTHER);
    EXPECT_EQ(rdata_integers(rdata_item(v, 4))[0], 5);
    // An environment can contain itself.
    EXPECT_NE(read(r::word(4) + r::word(0) + r::word(0x1ff) + r::null() + r::null() + r::null()), nullptr) << message;
}

TEST_F(Rdata, both_versions_and_no_others) {
    EXPECT_NE(read_plain(r::serialize(r::integers({1}), 2)), nullptr) << message;
    expect_damaged(read_plain(r::serialize(r::integers({1}), 4)), "version 4");
    expect_damaged(read_plain(r::raw("A\n3\n")), "no binary serialization");
    expect_damaged(read_plain({}), "no binary serialization");
}

TEST_F(Rdata, several_objects_by_name) {
    ASSERT_EQ(open(r::database({{"one", r::integers({1})}, {"two", r::integers({2})}})), RDATA_OK) << message;
    ASSERT_EQ(rdata_count(db), 2);
    EXPECT_STREQ(rdata_name(db, 1), "two");
    EXPECT_EQ(rdata_name(db, 2), nullptr);
    const rdata_value *two = nullptr, *one = nullptr, *again = nullptr, *none = nullptr;
    ASSERT_EQ(rdata_get(db, "two", &two, message, sizeof message), RDATA_OK);
    ASSERT_EQ(rdata_get(db, "one", &one, message, sizeof message), RDATA_OK);
    ASSERT_EQ(rdata_get(db, "two", &again, message, sizeof message), RDATA_OK);
    EXPECT_EQ(two, again);
    EXPECT_EQ(rdata_integers(two)[0], 2);
    EXPECT_EQ(rdata_integers(one)[0], 1);
    EXPECT_EQ(rdata_get(db, "three", &none, message, sizeof message), RDATA_MISSING);
    EXPECT_TRUE(says("three")) << message;
    EXPECT_EQ(none, nullptr);
}

TEST_F(Rdata, files_in_a_folder) {
    const r::Database files = r::database({{"x", frame()}});
    write_plain("Rdata.rdx", files.rdx);
    EXPECT_EQ(rdata_open(folder.c_str(), &db, message, sizeof message), RDATA_MISSING);
    EXPECT_TRUE(says("Rdata.rdb: No such file")) << message;
    write_plain("Rdata.rdb", files.rdb);
    ASSERT_EQ(rdata_open(folder.c_str(), &db, message, sizeof message), RDATA_OK) << message;
    const rdata_value *v = nullptr;
    ASSERT_EQ(rdata_get(db, "x", &v, message, sizeof message), RDATA_OK) << message;
    EXPECT_EQ(rdata_rows(v), 3);
}

TEST_F(Rdata, missing_folder) {
    EXPECT_EQ(rdata_open(path("nowhere").c_str(), &db, message, sizeof message), RDATA_MISSING);
    EXPECT_TRUE(says("nowhere/Rdata.rdx: No such file")) << message;
    EXPECT_EQ(rdata_open(std::string(5000, 'x').c_str(), &db, message, sizeof message), RDATA_MISSING);
    EXPECT_EQ(db, nullptr);
}

TEST_F(Rdata, object_cut_anywhere) {
    const Bytes plain = r::serialize(frame());
    for (size_t n = 0; n < plain.size(); ++n) {
        EXPECT_EQ(read_plain(Bytes(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(n))), nullptr) << n << " bytes";
        EXPECT_EQ(status, RDATA_DAMAGED);
    }
    EXPECT_NE(read_plain(plain), nullptr);
    expect_damaged(read_plain(plain + Bytes{0}), "more data");
}

TEST_F(Rdata, entry_cut_anywhere) {
    const Bytes entry = r::entry(r::serialize(frame()));
    for (size_t n = 0; n < entry.size(); ++n) {
        EXPECT_EQ(read(r::database_of_entries({{"x", Bytes(entry.begin(), entry.begin() + static_cast<std::ptrdiff_t>(n))}})),
                  nullptr)
            << n;
        EXPECT_EQ(status, RDATA_DAMAGED);
    }
    expect_damaged(read(r::database_of_entries({{"x", entry + Bytes{0}}})), "more than compressed data");
}

TEST_F(Rdata, entry_of_another_length_than_announced) {
    const Bytes plain = r::serialize(r::integers({1, 2, 3}));
    const auto n = static_cast<uint32_t>(plain.size());
    for (uint32_t announced : {0u, 1u, n - 1, n + 1, 1u << 20, 1u << 27, 0xffffffffu})
        EXPECT_EQ(read(r::database_of_entries({{"x", r::word(announced) + r::zlib(plain)}})), nullptr) << announced;
    EXPECT_EQ(status, RDATA_DAMAGED);
    expect_damaged(read(r::database_of_entries({{"x", r::word(n) + r::raw("no zlib at all")}})), "compressed data");
}

TEST_F(Rdata, forms_of_compression) {
    const Bytes plain = r::serialize(r::integers({1})), n = r::word(static_cast<uint32_t>(plain.size()));
    EXPECT_NE(read(r::database_of_entries({{"x", n + plain}}, 0)), nullptr) << message;
    EXPECT_NE(read(r::database_of_entries({{"x", n + r::raw("0") + plain}}, 2)), nullptr) << message;
    EXPECT_NE(read(r::database_of_entries({{"x", n + r::raw("1") + r::zlib(plain)}}, 3)), nullptr) << message;
    expect_damaged(read(r::database_of_entries({{"x", n + r::raw("2BZh")}}, 2)), "bzip2");
    expect_damaged(read(r::database_of_entries({{"x", n + r::raw("Z...")}}, 3)), "xz");
    expect_damaged(read(r::database_of_entries({{"x", n + r::raw("?...")}}, 3)), "unknown");
    expect_damaged(read(r::database_of_entries({{"x", n}}, 3)), "without data");
    EXPECT_EQ(open(r::database_of_entries({{"x", n}}, 4)), RDATA_DAMAGED);
    EXPECT_TRUE(says("kind 4")) << message;
}

TEST_F(Rdata, lengths_that_lie) {
    for (uint32_t n : {2u, 1000u, 0x7fffffffu, 0x80000000u, 0xfffffffeu, 0xffffffffu}) {
        for (uint32_t code : {10u, 13u, 14u, 16u, 19u})
            expect_damaged(read(r::word(code) + r::word(n) + r::word(0)), "a length of");
        expect_damaged(read(r::word(16) + r::word(1) + r::word(9) + r::word(n - (n == 0xffffffffu))), "");
    }
    // Lists inside lists, each of a length that the bytes left would allow by itself.
    Bytes nested;
    for (int depth = 0; depth < 90; ++depth) nested = nested + r::word(19) + r::word(1000000);
    expect_damaged(read(nested + Bytes(4000000)), "");
}

TEST_F(Rdata, nested_too_deeply) {
    Bytes object;
    for (int depth = 0; depth < 10000; ++depth) object = object + r::word(19) + r::word(1);
    expect_damaged(read(object + r::null()), "nested");
    object.clear();
    for (int depth = 0; depth < 10000; ++depth) object = object + r::word(2 | r::kAttributes);
    expect_damaged(read(object), "nested");
}

TEST_F(Rdata, too_many_objects) {
    Bytes nulls;
    for (int i = 0; i < (1 << 20); ++i) nulls.push_back(0), nulls.push_back(0), nulls.push_back(0), nulls.push_back(254);
    expect_damaged(read(r::word(19) + r::word(1 << 20) + nulls), "too many");
}

TEST_F(Rdata, factor_codes_outside_the_levels) {
    expect_damaged(read(r::factor({1, 3}, {"a", "b"})), "code 3");
    expect_damaged(read(r::factor({0}, {"a", "b"})), "code 0");
    expect_damaged(read(r::factor({-1}, {"a", "b"})), "code -1");
}

TEST_F(Rdata, types_that_are_not_read) {
    for (uint32_t code : {3u, 15u, 21u, 24u, 25u, 243u, 246u}) expect_damaged(read(r::word(code) + Bytes(64)), "which is not read");
    expect_damaged(read(r::word(16) + r::word(1) + r::integers({1})), "where a string is expected");
}

TEST_F(Rdata, damaged_index) {
    const Bytes rdx = r::database({{"x", frame()}}).rdx;
    for (size_t n = 0; n < rdx.size(); ++n)
        EXPECT_EQ(open({Bytes(rdx.begin(), rdx.begin() + static_cast<std::ptrdiff_t>(n)), {}}), RDATA_DAMAGED) << n;
    EXPECT_TRUE(says("index: ")) << message;
    EXPECT_EQ(open({r::zlib(r::serialize(r::integers({1}))), {}}), RDATA_DAMAGED);
    EXPECT_TRUE(says("no list of named variables")) << message;
    const Bytes names = r::strings({"x"});
    for (const Bytes &place : {r::integers({0}), r::integers({-1, 5}), r::integers({0, -5}), r::reals({0, 5}), r::null()}) {
        EXPECT_EQ(open({r::index({"x"}, {place}), {}}), RDATA_DAMAGED);
        EXPECT_TRUE(says("variable 0")) << message;
    }
    EXPECT_EQ(open({r::index({"x", "y"}, {r::integers({0, 1})}), {}}), RDATA_DAMAGED) << "more names than variables";
}

TEST_F(Rdata, entry_outside_the_file) {
    const Bytes rdb(100);
    for (const std::vector<int32_t> &place :
         std::vector<std::vector<int32_t>>{{0, 101}, {100, 1}, {101, 0}, {INT32_MAX, INT32_MAX}})
        expect_damaged(read({r::index({"x"}, {r::integers(place)}), rdb}), "the file ends before");
    expect_damaged(read({r::index({"x"}, {r::integers({100, 0})}), rdb}), "an entry of 0 bytes");
}

TEST_F(Rdata, ratings_of_lectures) {
    char place[FILE_PATH_MAX];
    if (data_find(&data_ratings, place) != 0) GTEST_SKIP() << "the package r-cran-lme4 is not there: scripts/data.sh r-cran-lme4";
    ASSERT_EQ(rdata_open(place, &db, message, sizeof message), RDATA_OK) << message;
    for (int64_t i = 0; i < rdata_count(db); ++i) {
        const rdata_value *v = nullptr;
        ASSERT_EQ(rdata_get(db, rdata_name(db, i), &v, message, sizeof message), RDATA_OK) << message;
        EXPECT_GT(rdata_rows(v), 0) << rdata_name(db, i);
    }
    const rdata_value *v = nullptr;
    ASSERT_EQ(rdata_get(db, "InstEval", &v, message, sizeof message), RDATA_OK);
    EXPECT_EQ(rdata_rows(v), 73421);
    EXPECT_EQ(rdata_length(rdata_levels(rdata_column(v, "s"))), 2972);
    EXPECT_EQ(rdata_length(rdata_levels(rdata_column(v, "d"))), 1128);
    const rdata_value *y = rdata_column(v, "y");
    ASSERT_EQ(rdata_length(y), 73421);
    for (int64_t i = 0; i < rdata_length(y); ++i) {
        ASSERT_GE(rdata_integers(y)[i], 1);
        ASSERT_LE(rdata_integers(y)[i], 5);
    }
}

}  // namespace
