#!/bin/sh
# The library exports what the header declares, a module its entry, and nothing else.
# usage: symbols.sh SOURCE_FOLDER LIBRARY [MODULE...]
set -eu
root=$1 library=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exported() { nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort; }
python3 "$root/scripts/api.py" "$root/include/mpt.h" functions | LC_ALL=C sort >"$work/declared"
exported "$library" >"$work/exported"
failed=0
diff -u "$work/declared" "$work/exported" || { echo "the header (-) and $library (+) differ"; failed=1; }
for module in "$@"; do
    others=$(exported "$module" | grep -v -E '^mpt_(module|accelerator)_entry_[0-9_]+$' || true)
    [ -z "$others" ] || { echo "$module exports more than its entry: $others"; failed=1; }
    [ "$(exported "$module" | wc -l)" = 1 ] || { echo "$module does not export one entry"; failed=1; }
done
exit $failed
