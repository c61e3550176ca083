#!/bin/sh
# The binary interface of the library is the committed one. Additions fail too: a reviewed update of the baseline admits them.
# usage: abidiff.sh SOURCE_FOLDER LIBRARY
set -eu
root=$1 library=$2
command -v abidiff >/dev/null || { echo "skipped: abidiff (abigail-tools) is not installed"; exit 77; }
[ "$(uname -m)" = x86_64 ] || { echo "skipped: the baseline is of x86_64, this is $(uname -m)"; exit 77; }
readelf -S "$library" | grep -q debug_info || { echo "skipped: $library has no debug information to read types from"; exit 77; }
code=0
abidiff --headers-dir2 "$root/include" --drop-private-types --exported-interfaces-only "$root/abi/baseline.abi" "$library" || code=$?
[ $code = 0 ] || echo "abidiff gave $code: if the change is meant, run scripts/abi-update.sh baseline and have it reviewed"
exit $code
