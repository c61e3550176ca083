#!/bin/sh
# SWIG reads the header without a warning, and what it writes compiles where the language's headers are.
# usage: swig.sh SOURCE_FOLDER CC python|java
set -eu
root=$1 cc=$2 language=$3
command -v swig >/dev/null || { echo "skipped: swig is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Without SWIGWORDSIZE64 int64_t would be taken for long long, which is another type than the header's on LP64.
swig -Wall -Werror -DSWIGWORDSIZE64 "-$language" -I"$root/include" -outdir "$work" -o "$work/wrap.c" "$root/bindings/$language/mpt.i"
case $language in
    python) flags=$(python3-config --includes 2>/dev/null) || flags= ;;
    java)
        home=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")" 2>/dev/null)") || home=
        if [ -f "$home/include/jni.h" ]; then flags="-I$home/include -I$home/include/linux"; else flags=; fi
        ;;
esac
# The flags are words of a command line.
# shellcheck disable=SC2086
if [ -z "$flags" ] || ! echo "#include <$([ "$language" = python ] && echo Python.h || echo jni.h)>" |
    "$cc" $flags -fsyntax-only -x c - 2>/dev/null; then
    echo "read without a warning; not compiled: no development headers of $language"
    exit 0
fi
# shellcheck disable=SC2086
"$cc" $flags -I"$root/include" -I"$root/bindings/$language" -I"$root/bindings/$language/src" -fsyntax-only -Wno-unused "$work/wrap.c"
echo "read without a warning, and compiles"
