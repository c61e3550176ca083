#!/bin/sh
# Builds the jar and runs everything that tests it. usage: bindings/java/test.sh LIBRARY_FOLDER [OUTPUT_FOLDER]
# Exit code 77: a tool is missing, and said which. MPT_CYCLES (default 4000) says how often Cycles makes and drops everything; 100000 takes minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=${2:-$root/build/java}
mkdir -p "$out"
out=$(cd "$out" && pwd)

command -v python3 >/dev/null || { echo "skipped: python3 is not installed, which compares the generated part with the header"; exit 77; }
rm -rf "$out/generated"
python3 "$here/generate.py" "$root/abi/mpt.json" "$root/include/mpt.h" "$out/generated"
diff -ru "$here/src/main/generated" "$out/generated" || { echo "differs: if the header's change is meant, run bindings/java/generate.sh"; exit 1; }
"$here/build.sh" "$1" "$out" docs

rm -rf "$out/tests"
mkdir -p "$out/tests" "$out/empty"
javac --release 17 -Xlint:all,-try -Werror -cp "$out/mpt.jar" -d "$out/tests" "$here"/src/test/*.java "$here"/src/samples/*.java
# A program of ours with the JNI calls watched; what the watcher says is a failure too. The libraries come from the jar: nothing on the library path.
run() {
    (
        cd "$out/empty"
        unset LD_LIBRARY_PATH
        # shellcheck disable=SC2086
        java -Xcheck:jni ${heap:--Xmx512m} "-Dorg.mpt.cache=$out/cache" -cp "$out/mpt.jar:$out/tests" "$@"
    ) >"$out/log" 2>&1 || { cat "$out/log"; exit 1; }
    cat "$out/log"
    if grep -q -e '^WARNING' -e 'FATAL ERROR in native' "$out/log"; then exit 1; fi
}
java -cp "$out/tests" Coverage "$out/mpt.jar" "$root/abi/mpt.json" "$here/src/test/not-covered.txt"
run Ops
run Lifetimes
run Edges
run Misuse
run Unpacking
# A heap of one size: what grows is not Java's.
heap='-Xms64m -Xmx64m -XX:+AlwaysPreTouch' run Cycles
# The first lines of the README: the jar alone, in an empty folder, with a cache that is not there yet.
rm -rf "$out/first"
(cd "$out/empty" && unset LD_LIBRARY_PATH && XDG_CACHE_HOME="$out/first" java -cp "$out/mpt.jar" "$here/src/samples/LinearRegression.java") | grep '^y = [23]\.[09]'
run LinearRegression
grep -q '^y = [23]\.[09]' "$out/log"
run HostOptimizer
if [ -d /usr/share/datasets/fashion-mnist ]; then
    run FashionMnist --limit 500 --epochs 1 --device cpu --precision bf16 --out "$out/demo"
    grep -q '^test accuracy' "$out/log"
fi

# The same by Maven, without a network: the jar, and the tests by JUnit.
repository=/usr/share/maven-repo
if ! command -v mvn >/dev/null || [ ! -d $repository/org/apache/maven/surefire/surefire-junit-platform ] || [ ! -d $repository/org/junit/jupiter/junit-jupiter ]; then
    echo "not run: Maven, for want of it or of its plugins: see bindings/java/install-tools.sh"
    exit 0
fi
rm -rf "$out/maven"
mvn -q -o "-Dmaven.repo.local=$repository" "-Dmpt.library=$(cd "$1" && pwd)" "-Dmpt.target=$out/maven" -f "$here/pom.xml" package >"$out/log" 2>&1 || {
    cat "$out/log"
    exit 1
}
grep -h '^Tests run: [1-9]' "$out"/maven/surefire-reports/*.txt
(cd "$out/empty" && unset LD_LIBRARY_PATH && java "-Dorg.mpt.cache=$out/cache" -cp "$out/maven/mpt-0.1.0.jar:$out/tests" LinearRegression)
