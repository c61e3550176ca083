#!/bin/sh
# Takes a language's program out of docs/languages.md, runs it, and compares what it prints with what the page says.
# usage: languages.sh LANGUAGE LIBRARY_FOLDER BUILT_BINDINGS
#   LANGUAGE        c, python, java, rust, lua, csharp
#   BUILT_BINDINGS  where the bindings' tests of this build have put what they made: python (an environment), java/mpt.jar, rust
# Exit code 77: a tool is missing.
set -eu
[ $# = 3 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
language=$1 library=$(cd "$2" && pwd) built=$3
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need() { command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; exit 77; }; }
# The first block of a kind, without its fences.
block() { awk -v fence='```'"$1" '$0 == fence && !done { inside = 1; next } /^```/ && inside { inside = 0; done = 1 } inside' "$root/docs/languages.md"; }

block text >"$work/expected"
block "$language" >"$work/program"
[ -s "$work/expected" ] && [ -s "$work/program" ] || { echo "docs/languages.md has no block of $language, or does not say what is printed"; exit 1; }
cd "$work"
case $language in
    c)
        mv program loop.c
        "${CC:-cc}" -std=c89 -pedantic -Wall -Wextra -Werror -I"$root/include" loop.c -o loop -L"$library" -lmpt -Wl,-rpath,"$library"
        ./loop >printed
        ;;
    python)
        [ -x "$built/python/bin/python" ] || { echo "skipped: the package is not built here: bindings/python/test.sh $library $built/python"; exit 77; }
        PYTHONPATH="$root/bindings/python/src" "$built/python/bin/python" program >printed
        ;;
    java)
        need java
        [ -f "$built/java/mpt.jar" ] || { echo "skipped: the jar is not built here: bindings/java/test.sh $library $built/java"; exit 77; }
        mv program Loop.java
        java "-Dorg.mpt.cache=$work/cache" -cp "$built/java/mpt.jar" Loop.java >printed
        ;;
    rust)
        need cargo
        mkdir src
        mv program src/main.rs
        printf '[package]\nname = "page"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n[dependencies]\nmpt = { path = "%s" }\n' "$root/bindings/rust/mpt" >Cargo.toml
        MPT_LIB_DIR=$library CARGO_NET_OFFLINE=true CARGO_TARGET_DIR="$built/rust_page" cargo run -q >printed
        ;;
    lua)
        need luajit
        luajit program "$library/libmpt.so.0" >printed
        ;;
    csharp)
        need mcs
        need mono
        mv program Loop.cs
        mcs -warnaserror+ -out:Loop.exe Loop.cs
        echo "<configuration><dllmap dll=\"libmpt\" target=\"$library/libmpt.so.0\"/></configuration>" >Loop.exe.config
        mono Loop.exe >printed
        ;;
    *) echo "no language '$language'" >&2 && exit 2 ;;
esac
diff -u expected printed
cat printed
