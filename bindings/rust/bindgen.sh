#!/bin/sh
# Writes the Rust declarations of include/mpt.h to standard output. mpt-sys/src/bindings.rs is this output,
# made with bindgen 0.60.1 (Debian 12): another version words the same declarations differently.
set -eu
exec bindgen "$(dirname "$0")/../../include/mpt.h" --no-prepend-enum-name --default-enum-style newtype --constified-enum '_bindgen_ty_.*' \
    --size_t-is-usize --allowlist-type 'mpt_.*' --allowlist-function 'mpt_.*' --allowlist-var 'MPT_.*' \
    --raw-line '#![allow(non_camel_case_types, non_upper_case_globals, dead_code, deref_nullptr)]'
