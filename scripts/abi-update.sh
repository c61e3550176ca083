#!/bin/sh
# Writes what is committed about the interface, for a reviewed change of include/mpt.h. The tests run it into a folder of
# their own and compare.
# usage: abi-update.sh [--into FOLDER] [--library LIBRARY] PART...
#   header    abi/enums.txt, abi/layout.c, abi/mpt.json (needs python3 and a C compiler, $CC)
#   symbols   abi/symbols.txt (needs nm)
#   baseline  abi/baseline.abi (needs abidw)
#   rust      bindings/rust/mpt-sys/src/bindings.rs (needs bindgen)
#   safe      bindings/rust/mpt/src/generated.rs, from abi/mpt.json (needs python3)
#   all       the five
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
into=$root
library=$root/build/test/lib/libmpt.so
while [ $# -gt 0 ]; do
    case $1 in
        --into) into=$2 && shift 2 ;;
        --library) library=$2 && shift 2 ;;
        *) break ;;
    esac
done
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ "$1" != all ] || set -- header symbols baseline rust safe
mkdir -p "$into/abi"
header=$root/include/mpt.h

for part in "$@"; do
    case $part in
        symbols | baseline)
            # Checked first: a pipeline's failure would leave an empty list behind.
            [ -f "$library" ] || { echo "abi-update.sh: no library $library: build first (cmake --preset ci && cmake --build --preset ci), or name one with --library" >&2; exit 2; }
            ;;
    esac
    case $part in
        header)
            python3 "$root/scripts/api.py" "$header" enums >"$into/abi/enums.txt"
            python3 "$root/scripts/api.py" "$header" json >"$into/abi/mpt.json"
            work=$(mktemp -d)
            python3 "$root/scripts/api.py" "$header" layout >"$work/layout.c"
            "${CC:-cc}" -I"$root/include" "$work/layout.c" -o "$work/layout"
            {
                echo "/* Sizes, offsets and values of the interface on LP64 targets, written by scripts/abi-update.sh. */"
                echo '#include "mpt.h"'
                "$work/layout"
            } >"$into/abi/layout.c"
            rm -r "$work"
            ;;
        symbols) nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >"$into/abi/symbols.txt" ;;
        baseline)
            # Without source locations abidiff would take every type for a private one, and keep silent about changes.
            abidw --headers-dir "$root/include" --drop-private-types --exported-interfaces-only --no-corpus-path --no-comp-dir-path \
                "$library" | sed -e "s#path='$root/#path='#g" -e "s#path='\(\.\./\)*#path='#g" >"$into/abi/baseline.abi"
            ;;
        rust)
            mkdir -p "$into/bindings/rust/mpt-sys/src"
            "$root/bindings/rust/bindgen.sh" >"$into/bindings/rust/mpt-sys/src/bindings.rs"
            ;;
        safe)
            mkdir -p "$into/bindings/rust/mpt/src"
            python3 "$root/bindings/rust/generate.py" >"$into/bindings/rust/mpt/src/generated.rs"
            ;;
        *) echo "abi-update.sh: no part '$part'" >&2 && exit 2 ;;
    esac
done
