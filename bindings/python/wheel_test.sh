#!/bin/sh
# Builds a wheel from a clean copy into an empty environment, of libraries that are built already, and runs README's program there, away from
# the sources and with nothing in LD_LIBRARY_PATH.
# usage: wheel_test.sh LIBRARY_FOLDER [WORK_FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
libraries=$(cd "$1" && pwd)
python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || { echo "skipped: Python 3.11 or newer with venv is not installed"; exit 77; }
into=${2:-${TMPDIR:-/tmp}}
mkdir -p "$into"
work=$(mktemp -d "$(cd "$into" && pwd)/wheel.XXXXXX")
trap 'rm -r "$work"' EXIT
mkdir -p "$work/copy/bindings" "$work/away"
cp -R "$here/../../include" "$work/copy"
(cd "$here/.." && tar cf - --exclude=build --exclude='*.so' --exclude=__pycache__ --exclude='swig_core.py*' python) | (cd "$work/copy/bindings" && tar xf -)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" download -q --disable-pip-version-check --no-deps -d "$work/probe" scikit-build-core || { echo "skipped: PyPI cannot be reached"; exit 77; }
"$work/venv/bin/pip" install -q --disable-pip-version-check "$work/copy/bindings/python" --config-settings=cmake.define.MPT_PREBUILT="$libraries"
rm -r "$work/copy"
# README's program is its second block.
awk '/^```python/ { inside = 1; next } /^```/ { if (inside) exit } inside' "$here/README.md" >"$work/away/readme.py"
grep -q 'loss.item()' "$work/away/readme.py"
cd "$work/away"
env -u LD_LIBRARY_PATH -u PYTHONPATH "$work/venv/bin/python" -I readme.py >out.txt
cat out.txt
env -u LD_LIBRARY_PATH -u PYTHONPATH "$work/venv/bin/python" -I - "$work" <<'P'
import sys
import mpt
mpt.ones(1).tolist()
used = {line.split()[-1] for line in open("/proc/self/maps") if "libmpt" in line}
assert used and all(path.startswith(sys.argv[1]) for path in used), used
loss = float(open("out.txt").read())
assert 0 <= loss < 0.3, loss
P
echo "the wheel works"
