#!/bin/sh
# The first lines of the README as they stand there: the crate against a build tree and an installation, a project of one's own, and what is said where there is no mpt.
# usage: bindings/rust/install_test.sh CMAKE BUILD_FOLDER SOURCE_FOLDER WORK_FOLDER
# Exit code 77: cargo or pkg-config is missing.
set -eu
[ $# = 4 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cmake=$1 build=$(cd "$2" && pwd) source=$(cd "$3" && pwd)
mkdir -p "$4"
work=$(cd "$4" && pwd)
cargo --version 2>/dev/null || { echo "skipped: cargo is not installed"; exit 77; }
command -v pkg-config >/dev/null || { echo "skipped: pkg-config is not installed"; exit 77; }
readme=$source/bindings/rust/README.md
export CARGO_NET_OFFLINE=true CARGO_TARGET_DIR="$work/target"
unset MPT_LIB_DIR PKG_CONFIG_PATH PKG_CONFIG_LIBDIR LD_LIBRARY_PATH || :
expect() { # expect TEXT FILE
    grep -qF -- "$1" "$2" || { echo "not said: $1"; cat "$2"; exit 1; }
}

rm -rf "$work/prefix" "$work/app"
"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
pc=$(dirname "$(find "$work/prefix" -name mpt.pc)")

# The lines that run the sample, with the folders of this machine.
grep -E '^(MPT_LIB_DIR|PKG_CONFIG_PATH)=.*cargo run' "$readme" | sed -e "s|\$PWD/../../build/release/lib|$build/lib|" -e "s|<prefix>/lib/pkgconfig|$pc|" >"$work/lines"
[ "$(wc -l <"$work/lines")" = 2 ] || { echo "the README has not the two lines that run the sample"; cat "$work/lines"; exit 1; }
said=$(sed -n 's/^prints `\(y = .*\)`.*/\1/p' "$readme" | head -1 | sed 's/`.*//')
while read -r line; do
    echo "\$ $line"
    (cd "$source/bindings/rust" && sh -c "$line") >"$work/out" 2>"$work/err" </dev/null || { cat "$work/out" "$work/err"; exit 1; }
    cat "$work/out"
    expect "$said" "$work/out"
done <"$work/lines"

# A project of one's own: the README's lines of Cargo.toml, then the program started without cargo.
mkdir -p "$work/app/src"
{
    printf '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n'
    sed -n '/^```toml/,/^```$/p' "$readme" | grep -v '```' | sed "s|<mpt>|$source|"
} >"$work/app/Cargo.toml"
cp "$source/bindings/rust/mpt/examples/linear_regression.rs" "$work/app/src/main.rs"
(cd "$work/app" && PKG_CONFIG_PATH=$pc cargo run --release) >"$work/out" 2>"$work/err" || { cat "$work/out" "$work/err"; exit 1; }
expect "$said" "$work/out"
LD_LIBRARY_PATH=$(dirname "$pc") "$work/target/release/app" >"$work/out"
expect "$said" "$work/out"
echo "a project of one's own: $(cat "$work/out")"

# Without either, the build says what to do.
mkdir -p "$work/nothing"
if (cd "$work/app" && PKG_CONFIG_LIBDIR="$work/nothing" cargo build --release) >"$work/out" 2>&1; then echo "built without mpt"; exit 1; fi
expect "libmpt was not found" "$work/out"
expect "PKG_CONFIG_PATH=<prefix>/lib/pkgconfig cargo build" "$work/out"
expect "MPT_LIB_DIR=<mpt>/build/release/lib cargo build" "$work/out"
if (cd "$work/app" && MPT_LIB_DIR="$work/nothing" cargo build --release) >"$work/out" 2>&1; then echo "built without mpt"; exit 1; fi
expect "MPT_LIB_DIR is $work/nothing, where there is no libmpt.so" "$work/out"
echo "without mpt: the build says what to do"
