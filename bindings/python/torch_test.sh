#!/bin/sh
# Weights and memory to and from PyTorch: tests/torch/. usage: torch_test.sh LIBRARY_FOLDER WORK_FOLDER
# MPT_TORCH_PYTHON: an interpreter that has PyTorch; else python3 or the distribution's. Exit code 77: none has it, or PyPI cannot be reached.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
libraries=$(cd "$1" && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
python=
for candidate in "${MPT_TORCH_PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$candidate" ] && "$candidate" -c 'import sys, torch, numpy; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || { echo "skipped: no PyTorch: install python3-torch, or name an interpreter that has it in MPT_TORCH_PYTHON"; exit 77; }
if ! [ -f "$work/done" ]; then
    python3 -m venv "$work/tools" && "$work/tools/bin/pip" install -q --disable-pip-version-check 'swig>=4.2' &&
        "$work/tools/bin/pip" install -q --disable-pip-version-check --upgrade --target "$work/site" pytest safetensors || { echo "skipped: PyPI cannot be reached"; exit 77; }
    touch "$work/done"
fi
core=$here/src/mpt/_swig_core.abi3.so
if ! [ -f "$core" ] || [ -n "$(find "$here/mpt.i" "$here/src" "$here/../../include/mpt.h" -newer "$core" \( -name '*.h' -o -name '*.i' \))" ]; then
    "$here/build.sh" "$libraries" "$work/tools/bin/python"
fi
cd "$here"
PYTHONPATH="$here/src:$work/site" exec "$python" -X faulthandler -m pytest -q -p no:cacheprovider -rs tests/torch
