/* What the interface file cannot say in typemaps: errors, callbacks, wrapped memory, buffers and DLPack. Included by the generated code.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every callback takes the interpreter lock first, on whatever thread it comes. An exception inside of one is kept and comes out of the
 * call that failed because of it. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdlib.h>
#include <string.h>

enum { SUPPORT_LIST = 64 };

static PyObject *support_factory;   /* (status, message) -> exception */
static _Thread_local PyObject *support_kept; /* the exception of a callback, which runs on the thread of the call */
static PyObject *support_callables; /* those that contexts log to; contexts may outlive every Python object */
static swig_type_info *support_tensor_type, *support_layer_type;

#include "support_errors.h"
#include "support_lists.h"
#include "support_memory.h"
#include "support_buffer.h"
#include "support_dlpack.h"
#include "support_custom.h"
#include "support_files.h"

static void support_init(PyObject *module, swig_type_info *tensors, swig_type_info *layers) {
    PyObject *type = PyType_FromSpec(&support_spec);
    support_tensor_type = tensors;
    support_layer_type = layers;
    if (type) PyModule_AddObject(module, "TensorBuffer", type);
}

#endif
