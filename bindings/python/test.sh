#!/bin/sh
# Makes an environment with what the package's tests need, builds the core against built libraries and runs the tests and samples.
# usage: test.sh LIBRARY_FOLDER [WORK_FOLDER [valgrind]]
# valgrind: instead, the tests of lifetimes, memory and threads under valgrind. MPT_CYCLES: how often those of memory go round, 100000 where it
# is not set, under valgrind 100. Exit code 77: Python, its headers, PyPI or valgrind is missing.
set -eu
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
libraries=$(cd "$1" && pwd) work=${2:-$here/build/venv}
python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || { echo "skipped: Python 3.11 or newer with venv is not installed"; exit 77; }
if ! [ -f "$work/done" ]; then
    python3 -m venv "$work" &&
        "$work/bin/pip" install -q --disable-pip-version-check 'swig>=4.2' numpy ml_dtypes pytest tqdm types-tqdm matplotlib mypy || { echo "skipped: PyPI cannot be reached"; exit 77; }
    touch "$work/done"
fi
printf '#include <Python.h>' | ${CC:-cc} -I"$("$work/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')" -fsyntax-only -x c - 2>/dev/null ||
    { echo "skipped: Python's development headers (python3-dev) are not installed"; exit 77; }
"$here/build.sh" "$libraries" "$work/bin/python"
cd "$here"
export PYTHONPATH="$here/src"
case ${3:-} in
    valgrind)
        valgrind --version 2>/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
        # Python's own memory by malloc, so that valgrind sees each object. Leaks are for the counts of the tests: the interpreter leaves much behind.
        MPT_CYCLES="${MPT_CYCLES:-100}" PYTHONMALLOC=malloc exec valgrind --quiet --error-exitcode=9 --leak-check=no --suppressions=tests/valgrind.supp \
            "$work/bin/python" -m pytest -q -x -p no:cacheprovider tests/test_lifetimes.py tests/test_tensor.py tests/test_threads.py \
            -k "not end_of_the_process and not a_leak_is_seen and not lock_is_released and not while_in_use and not deadlock and not default_context"
        ;;
    "") ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
"$work/bin/python" -m mypy --config-file pyproject.toml
for sample in ../../samples/python/*.py; do MYPYPATH=src "$work/bin/python" -m mypy --config-file pyproject.toml "$sample"; done
"$work/bin/python" -X faulthandler -m pytest -q --ignore tests/torch # torch_test.sh runs those
"$work/bin/python" ../../samples/python/linear_regression.py
"$work/bin/python" ../../samples/python/host_optimizer.py
