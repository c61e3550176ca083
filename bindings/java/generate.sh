#!/bin/sh
# Writes src/main/generated from the header, after a change of it. Needs python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$here/src/main/generated"
python3 "$here/generate.py" "$here/../../abi/mpt.json" "$here/../../include/mpt.h" "$here/src/main/generated"
