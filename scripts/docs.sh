#!/bin/sh
# Makes the API references, each with its language's own tool: build/docs/c by Doxygen, python, java by Javadoc, rust by cargo doc.
# usage: scripts/docs.sh [--library FOLDER] [--into FOLDER] [LANGUAGE...]
#   FOLDER    of libmpt.so, default build/release/lib: Python, Java and Rust need the library; where the references go, default build/docs
#   LANGUAGE  c, python, java, rust; default all. What cannot be made is said with its reason; exit code 77 where nothing could be.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
library=$root/build/release/lib into=$root/build/docs made=0
while [ $# -gt 0 ]; do
    case $1 in
        --library) library=$2 && shift 2 ;;
        --into) into=$2 && shift 2 ;;
        -*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
        *) break ;;
    esac
done
[ $# -gt 0 ] || set -- c python java rust
mkdir -p "$into"
into=$(cd "$into" && pwd)

skip() { echo "skipped: $1: $2"; }
need_library() { [ -e "$library/libmpt.so" ] || { skip "$1" "there is no $library/libmpt.so: build first, or name a folder with --library"; return 1; }; }

c_reference() {
    command -v doxygen >/dev/null || { skip c "doxygen is not installed"; return; }
    command -v python3 >/dev/null || { skip c "python3 is not installed"; return; }
    mkdir -p "$into/c"
    (cd "$root" && MPT_DOCS_OUTPUT="$into/c" doxygen docs/Doxyfile)
    # Doxygen is silent about what it has not seen at all.
    python3 - "$root/abi/mpt.json" "$into/c/mpt_8h.html" <<'END'
import json, sys
page = open(sys.argv[2], encoding="utf-8").read()
missing = [f["name"] for f in json.load(open(sys.argv[1]))["functions"] if f">{f['name']}</a>" not in page]
sys.exit(f"not in the reference of C: {missing}" if missing else 0)
END
    made=$((made + 1)) && echo "$into/c/index.html"
}

python_reference() {
    [ -x "$root/bindings/python/docs.sh" ] || { skip python "bindings/python has no docs.sh"; return; }
    need_library python || return 0
    "$root/bindings/python/docs.sh" "$library" "$into/python" || { code=$? && [ $code = 77 ] && return || exit $code; }
    made=$((made + 1)) && echo "$into/python"
}

java_reference() {
    command -v javadoc >/dev/null || { skip java "javadoc is not installed"; return; }
    need_library java || return 0
    "$root/bindings/java/build.sh" "$library" "$into/.java" docs || { code=$? && [ $code = 77 ] && return || exit $code; }
    rm -rf "$into/java"
    mv "$into/.java/docs" "$into/java"
    made=$((made + 1)) && echo "$into/java/index.html"
}

rust_reference() {
    command -v cargo >/dev/null || { skip rust "cargo is not installed"; return; }
    need_library rust || return 0
    (cd "$root/bindings/rust" && MPT_LIB_DIR=$(cd "$library" && pwd) CARGO_NET_OFFLINE=true CARGO_TARGET_DIR="$into/.rust" RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps)
    rm -rf "$into/rust"
    cp -r "$into/.rust/doc" "$into/rust"
    made=$((made + 1)) && echo "$into/rust/mpt/index.html"
}

for language in "$@"; do
    case $language in
        c | python | java | rust) "${language}_reference" ;;
        *) echo "docs.sh: no language '$language'" >&2 && exit 2 ;;
    esac
done
[ $made -gt 0 ] || exit 77
