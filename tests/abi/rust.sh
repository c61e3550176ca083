#!/bin/sh
# The crates in bindings/rust: their tests, documentation without warnings, samples. usage: rust.sh SOURCE_FOLDER LIBRARY_FOLDER WORK_FOLDER
set -eu
cargo --version 2>/dev/null || { echo "skipped: cargo is not installed"; exit 77; }
cd "$1/bindings/rust"
export MPT_LIB_DIR="$2" CARGO_TARGET_DIR="$3/rust" CARGO_NET_OFFLINE=true RUSTDOCFLAGS="-D warnings" RUSTFLAGS="-D warnings"
cargo test --workspace
cargo doc --workspace --no-deps
for sample in linear_regression host_optimizer; do cargo run --example "$sample"; done
