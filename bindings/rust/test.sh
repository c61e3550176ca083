#!/bin/sh
# Everything that tests the crates: their tests, documentation without warnings, samples. usage: bindings/rust/test.sh LIBRARY_FOLDER [OUTPUT_FOLDER [valgrind]]
# valgrind: instead, the tests of soundness and lifetimes under valgrind. MPT_CYCLES: how often the test of memory goes round, 2000 where it is not set.
# Exit code 77: cargo, or valgrind, is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cargo --version 2>/dev/null || { echo "skipped: cargo is not installed"; exit 77; }
MPT_LIB_DIR=$(cd "$1" && pwd)
export MPT_LIB_DIR CARGO_TARGET_DIR="${2:-$here/../../build/rust}" CARGO_NET_OFFLINE=true RUSTDOCFLAGS="-D warnings" RUSTFLAGS="-D warnings"
cd "$here"
case ${3:-} in
    valgrind)
        valgrind --version 2>/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
        # Invalid reads and writes, jumps that depend on nothing written, blocks that nobody can reach any more. One thread of tests: valgrind runs one at a time anyway.
        CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite"
        export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER RUST_TEST_THREADS=1 MPT_CYCLES="${MPT_CYCLES:-20}"
        exec cargo test --no-fail-fast -p mpt --test soundness --test lifetimes --test cycles
        ;;
    "") ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
cargo test --workspace
if cargo clippy --version 2>/dev/null; then cargo clippy --workspace --all-targets -- -D warnings; else echo "clippy is not installed: not run"; fi
cargo doc --workspace --no-deps
for sample in linear_regression host_optimizer; do cargo run --example "$sample"; done
