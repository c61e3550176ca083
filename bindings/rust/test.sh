#!/bin/sh
# Everything that tests the crates: their tests, documentation without warnings, samples. usage: bindings/rust/test.sh LIBRARY_FOLDER [OUTPUT_FOLDER]
# Exit code 77: cargo is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cargo --version 2>/dev/null || { echo "skipped: cargo is not installed"; exit 77; }
MPT_LIB_DIR=$(cd "$1" && pwd)
export MPT_LIB_DIR CARGO_TARGET_DIR="${2:-$here/../../build/rust}" CARGO_NET_OFFLINE=true RUSTDOCFLAGS="-D warnings" RUSTFLAGS="-D warnings"
cd "$here"
cargo test --workspace
cargo doc --workspace --no-deps
for sample in linear_regression host_optimizer; do cargo run --example "$sample"; done
