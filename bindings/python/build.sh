#!/bin/sh
# Builds the core in place, against libraries that are built already. A wheel is built by `pip install .` instead.
# usage: build.sh LIBRARY_FOLDER [PYTHON]     SWIG (4.2 or newer) is the interpreter's, else the one in PATH
set -eu
here=$(cd "$(dirname "$0")" && pwd)
libraries=$(cd "$1" && pwd) python=${2:-python3}
swig=$(dirname "$(command -v "$python")")/swig
[ -x "$swig" ] || swig=swig
work=$here/build
mkdir -p "$work"
"$swig" -python -threads -pyi -Wall -Werror -DSWIGWORDSIZE64 -I"$here/../../include" -outdir "$here/src/mpt" -o "$work/swig_core_wrap.c" "$here/mpt.i"
includes=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
${CC:-cc} -shared -fPIC -O2 -fvisibility=hidden -DPy_LIMITED_API=0x030b0000 -Wall -Wno-unused-function -I"$includes" -I"$here/../../include" -I"$here/src" \
    "$work/swig_core_wrap.c" -o "$here/src/mpt/_swig_core.abi3.so" -L"$libraries" -l:libmpt.so.0 -Wl,-rpath,'$ORIGIN/lib' -Wl,-rpath,"$libraries"
echo "built $here/src/mpt/_swig_core.abi3.so"
