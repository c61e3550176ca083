#!/bin/sh
# The API reference of the package as HTML, by pdoc. usage: docs.sh LIBRARY_FOLDER OUTPUT_FOLDER     Exit code 77: Python or PyPI is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
libraries=$(cd "$1" && pwd)
mkdir -p "$2"
output=$(cd "$2" && pwd) work=$here/build/docs
python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || { echo "skipped: python: Python 3.11 or newer with venv is not installed"; exit 77; }
if ! [ -f "$work/done" ]; then
    python3 -m venv "$work" && "$work/bin/pip" install -q --disable-pip-version-check pdoc 'swig>=4.2' numpy || { echo "skipped: python: PyPI cannot be reached"; exit 77; }
    touch "$work/done"
fi
[ -f "$here/src/mpt/_swig_core.abi3.so" ] || "$here/build.sh" "$libraries" "$work/bin/python"
PYTHONPATH="$here/src" "$work/bin/python" -W error::UserWarning -m pdoc --docformat markdown --no-search --output-directory "$output" \
    mpt '!mpt._core' '!mpt._support' '!mpt.swig_core' '!mpt._swig_core'
# Every public name is on a page; mpt.f32 and the like are members of DType.
PYTHONPATH="$here/src" "$work/bin/python" - "$output" <<'END'
import pathlib, sys
import mpt
pages = "".join(page.read_text(encoding="utf-8") for page in pathlib.Path(sys.argv[1]).rglob("*.html"))
public = [name for name, thing in vars(mpt).items() if not name.startswith("_") and not isinstance(thing, mpt.DType)
          and getattr(thing, "__module__", "").partition(".")[0] == "mpt"]
missing = [name for name in public if f'id="{name}"' not in pages]
sys.exit(f"not in the reference: {missing}" if missing or len(public) < 200 else 0)
END
echo "$output/index.html"
