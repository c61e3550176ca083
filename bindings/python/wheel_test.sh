#!/bin/sh
# Does what README.md says first: `pip install .` into an empty environment, and its program run there, outside of the sources. The wheel
# carries libraries that are built already. usage: wheel_test.sh LIBRARY_FOLDER WORK_FOLDER     Exit code 77: PyPI cannot be reached.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
libraries=$(cd "$1" && pwd)
mkdir -p "$2"
work=$(cd "$2" && pwd)
unset LD_LIBRARY_PATH PYTHONPATH MPT_LIBRARY
python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || { echo "skipped: Python 3.11 or newer with venv is not installed"; exit 77; }
printf '#include <Python.h>' | ${CC:-cc} -I"$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')" -fsyntax-only -x c - 2>/dev/null ||
    { echo "skipped: Python's development headers (python3-dev) are not installed"; exit 77; }
python3 -m venv --clear "$work/empty"
pip="$work/empty/bin/pip --disable-pip-version-check --quiet"
$pip download --no-deps --dest "$work/probe" 'scikit-build-core>=0.10' || { echo "skipped: PyPI cannot be reached"; exit 77; }

cd "$here"
$pip install . --config-settings=cmake.define.MPT_PREBUILT="$libraries"
mkdir -p "$work/outside"
cd "$work/outside"
python3 - "$here/README.md" >first.py <<'END'
import re, sys
print(re.search(r"```python\n(.*?)```", open(sys.argv[1], encoding="utf-8").read(), re.S)[1])
END
cat >>first.py <<'END'
import importlib.metadata, os, sys
assert loss.item() < 0.2, loss.item()
site = os.path.join(sys.prefix, "")
assert mpt.__file__.startswith(site), mpt.__file__
mapped = {line.split()[-1] for line in open("/proc/self/maps") if "libmpt" in line}
assert len(mapped) >= 2 and all(path.startswith(site) for path in mapped), mapped
assert not {d.metadata["Name"].lower() for d in importlib.metadata.distributions()} - {"mpt", "pip", "setuptools"}
assert os.path.exists(os.path.join(os.path.dirname(mpt.__file__), "py.typed"))
END
"$work/empty/bin/python" first.py

cd "$here"
$pip install '.[numpy]' --config-settings=cmake.define.MPT_PREBUILT="$libraries"
cd "$work/outside"
"$work/empty/bin/python" -c 'import mpt, numpy; assert numpy.asarray(mpt.ones(2) + numpy.ones(2, "f4")).tolist() == [2, 2]; assert mpt.ones(1, "bf16").numpy() == 1'
echo "the wheel works in an empty environment"
