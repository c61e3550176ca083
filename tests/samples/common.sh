# Helpers of the scripts beside this file. SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# Tells ctest that a test was skipped where there is nothing to train on.
need_data() {
    [ -f /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ] && return
    echo 'skipped: the package dataset-fashion-mnist is not installed'
    exit 77
}
