#!/bin/sh
# bindgen reads the header, its output is the committed one, and that compiles and passes its own layout tests.
# usage: bindgen.sh SOURCE_FOLDER diff|compile
set -eu
root=$1
case $2 in
    diff)
        command -v bindgen >/dev/null || { echo "skipped: bindgen is not installed"; exit 77; }
        version=$(bindgen --version)
        [ "$version" = "bindgen 0.60.1" ] || { echo "skipped: the committed output is of bindgen 0.60.1, this is $version"; exit 77; }
        exec "$(dirname "$0")/golden.sh" "$root" none rust
        ;;
    compile)
        rustc --version 2>/dev/null || { echo "skipped: rustc is not installed"; exit 77; }
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        rustc --edition 2021 --test -D warnings "$root/bindings/rust/mpt-sys/src/bindings.rs" -o "$work/layout"
        "$work/layout"
        ;;
esac
