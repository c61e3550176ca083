#!/bin/sh
# The libraries that each library needs, and the newest symbol versions, stay within abi/needed.txt.
# usage: needed.sh SOURCE_FOLDER LIBRARY...
set -eu
list=$1/abi/needed.txt
shift
failed=0
for library in "$@"; do
    name=$(basename "$library" | sed 's/\.so\..*/.so/')
    allowed=$(awk -v name="$name" '$1 == name { $1 = ""; print }' "$list")
    [ -n "$allowed" ] || { echo "$name is not in abi/needed.txt"; exit 1; }
    for needed in $(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'); do
        case " $allowed " in
            *" $needed "*) ;;
            *) echo "$name needs $needed, which abi/needed.txt does not allow" && failed=1 ;;
        esac
    done
    if readelf -d "$library" | grep -E 'RPATH|RUNPATH|TEXTREL'; then echo "$name has a search path or text relocations" && failed=1; fi
    ceilings=$(awk '$1 == "ceiling" { $1 = ""; print }' "$list")
    for ceiling in $ceilings; do
        family=${ceiling%_*}
        newest=$(readelf -V "$library" | grep -o "Name: ${family}_[0-9.]*" | sed 's/Name: //' | sort -V | tail -1)
        [ "$(printf '%s\n%s\n' "$newest" "$ceiling" | sort -V | tail -1)" = "$ceiling" ] ||
            { echo "$name asks for $newest, beyond the ceiling $ceiling"; failed=1; }
        echo "$name: $family up to ${newest:-none}"
    done
done
exit $failed
