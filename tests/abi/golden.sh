#!/bin/sh
# What abi-update.sh writes now is what is committed. usage: golden.sh SOURCE_FOLDER LIBRARY PART
set -eu
root=$1 library=$2 part=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/scripts/abi-update.sh" --into "$work" --library "$library" "$part"
cd "$work"
find . -type f | {
    failed=0
    while read -r file; do diff -u "$root/$file" "$file" || failed=1; done
    [ $failed = 0 ] || { echo "differs: if the change is meant, run scripts/abi-update.sh $part and have it reviewed"; exit 1; }
}
