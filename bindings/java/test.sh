#!/bin/sh
# Builds the jar and runs everything that tests it. usage: bindings/java/test.sh LIBRARY_FOLDER [OUTPUT_FOLDER]
# Exit code 77: a tool is missing, and said which.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=${2:-$root/build/java}
mkdir -p "$out"
out=$(cd "$out" && pwd)

if command -v python3 >/dev/null; then
    rm -rf "$out/generated"
    python3 "$here/generate.py" "$root/abi/mpt.json" "$root/include/mpt.h" "$out/generated"
    diff -ru "$here/src/main/generated" "$out/generated" || { echo "differs: if the header's change is meant, run bindings/java/generate.sh"; exit 1; }
fi
"$here/build.sh" "$1" "$out" docs

rm -rf "$out/tests"
mkdir -p "$out/tests" "$out/empty"
javac --release 17 -Xlint:all,-try -Werror -cp "$out/mpt.jar" -d "$out/tests" "$here"/src/test/*.java "$here"/src/samples/*.java
# A program of ours with the JNI calls watched; what the watcher says is a failure too. The libraries come from the jar: nothing on the library path.
run() {
    (
        cd "$out/empty"
        unset LD_LIBRARY_PATH
        java -Xcheck:jni -Xmx512m "-Dorg.mpt.cache=$out/cache" -cp "$out/mpt.jar:$out/tests" "$@"
    ) >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
    cat "$out/log"
    if grep -q -e '^WARNING' -e 'FATAL ERROR in native' "$out/log"; then exit 1; fi
}
java -cp "$out/tests" Coverage "$out/mpt.jar" "$root/abi/mpt.json" "$here/src/test/not-covered.txt"
run Ops
run Lifetimes
run Misuse
run LinearRegression
grep -q '^y = [23]\.[09]' "$out/log"
run HostOptimizer
if [ -d /usr/share/datasets/fashion-mnist ]; then
    run FashionMnist --limit 500 --epochs 1 --device cpu --precision bf16 --out "$out/demo"
    grep -q '^test accuracy' "$out/log"
fi
