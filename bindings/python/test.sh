#!/bin/sh
# Makes an environment with what the package's tests need, builds the core against built libraries and runs the tests and samples.
# usage: test.sh LIBRARY_FOLDER [WORK_FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
libraries=$(cd "$1" && pwd) work=${2:-$here/build/venv}
python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || { echo "skipped: Python 3.11 or newer with venv is not installed"; exit 77; }
if ! [ -f "$work/done" ]; then
    python3 -m venv "$work" &&
        "$work/bin/pip" install -q --disable-pip-version-check 'swig>=4.2' numpy ml_dtypes pytest tqdm mypy || { echo "skipped: PyPI cannot be reached"; exit 77; }
    touch "$work/done"
fi
printf '#include <Python.h>' | ${CC:-cc} -I"$("$work/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')" -fsyntax-only -x c - 2>/dev/null ||
    { echo "skipped: Python's development headers (python3-dev) are not installed"; exit 77; }
"$here/build.sh" "$libraries" "$work/bin/python"
cd "$here"
export PYTHONPATH="$here/src"
"$work/bin/python" -m mypy --config-file pyproject.toml
"$work/bin/python" -X faulthandler -m pytest -q --ignore tests/torch # torch_test.sh runs those
"$work/bin/python" ../../samples/python/linear_regression.py
"$work/bin/python" ../../samples/python/host_optimizer.py
