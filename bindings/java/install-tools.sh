#!/usr/bin/env bash
# Installs what building and testing the Java binding need, from the distribution alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib.sh
need_packages swig gcc libc6-dev default-jdk-headless python3 \
    maven junit5 libmaven-antrun-plugin-java libmaven-compiler-plugin-java libmaven-jar-plugin-java libmaven-resources-plugin-java \
    libbuild-helper-maven-plugin-java libsurefire-java
