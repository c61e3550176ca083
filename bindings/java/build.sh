#!/bin/sh
# Builds mpt.jar, with the native libraries in it, by swig, cc, javac and jar alone.
# usage: bindings/java/build.sh LIBRARY_FOLDER [OUTPUT_FOLDER] [STEP]
#   LIBRARY_FOLDER   holds libmpt.so and its modules: lib of a build or an installation
#   OUTPUT_FOLDER    default build/java
#   STEP             all (default): everything; natives: what Maven packs, in OUTPUT_FOLDER/{sources,resources}; docs: Javadoc as well
# MPT_JAVA_CUDA=1 packs libmpt_cuda.so too, which is large.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
library=$(cd "$1" && pwd)
out=${2:-$root/build/java}
step=${3:-all}
for tool in swig javac jar "${CC:=cc}"; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (apt-get install swig default-jdk-headless gcc)"; exit 77; }
done
home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -rf "$out/sources" "$out/resources" "$out/classes"
mkdir -p "$out/sources/org/mpt/internal" "$out/classes"

case $(uname -m) in
    x86_64 | amd64) platform=linux-x86_64 ;;
    *) platform=linux-$(uname -m) ;;
esac
natives=$out/resources/org/mpt/natives/$platform
mkdir -p "$natives"

swig -Wall -Werror -DSWIGWORDSIZE64 -java -package org.mpt.internal -I"$root/include" -outdir "$out/sources/org/mpt/internal" -o "$out/wrap.c" "$here/mpt.i"
for name in libmpt.so.0 libmpt_cpu.so libmpt_onednn.so ${MPT_JAVA_CUDA:+libmpt_cuda.so}; do
    [ ! -e "$library/$name" ] || cp -L "$library/$name" "$natives/$name"
done
"$CC" -O2 -shared -fPIC -fvisibility=hidden -I"$root/include" -I"$here" -I"$home/include" -I"$home/include/linux" "$out/wrap.c" "$here/support.c" \
    "$natives/libmpt.so.0" -o "$natives/libmpt_java.so" "-Wl,--disable-new-dtags,-rpath,\$ORIGIN" -lpthread
# The first line names the folder of the cache: other libraries are unpacked beside these, never over them. Then sizes and names.
(
    cd "$natives"
    files=$(echo lib*.so*)
    # The names have no spaces.
    # shellcheck disable=SC2086
    { echo "0.1.0-$(cat $files | sha256sum | cut -c1-16)" && stat -c '%s %n' $files; } >list
)
[ "$step" != natives ] || exit 0

find "$here/src/main" "$out/sources" -name '*.java' -printf '"%p"\n' >"$out/sources.list"
javac --release 17 -Xlint:all,-exports -Werror -d "$out/classes" "@$out/sources.list"
cp -r "$out/resources/." "$out/classes"
jar --create --file "$out/mpt.jar" -C "$out/classes" .
if [ "$step" = docs ]; then
    rm -rf "$out/docs"
    # Only what is exported; a comment that is missing or wrong is an error.
    javadoc -quiet -Xdoclint:all -Werror --release 17 -d "$out/docs" -windowtitle mpt --module-source-path "org.mpt=$here/src/main/java:$here/src/main/generated:$out/sources" \
        --module org.mpt
fi
echo "$out/mpt.jar"
