#!/usr/bin/env bash
# Gets data that samples train on, from packages of the distribution, which are unpacked and not installed: no root, no R.
# usage: scripts/data.sh [PACKAGE...]      without a name: all of them
#   r-cran-janeaustenr  six novels
#   wordnet-base        what words mean, with the part of speech
#   r-cran-lme4         ratings of lectures; a recommender that will be trained on them is still to come
# They go to $MPT_DATA, by default $XDG_CACHE_HOME/mpt (~/.cache/mpt), where the samples look too.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

declare -A folders=(
    [r-cran-janeaustenr]=/usr/lib/R/site-library/janeaustenr/data
    [wordnet-base]=/usr/share/wordnet
    [r-cran-lme4]=/usr/lib/R/site-library/lme4/data
)

[ $# -gt 0 ] || set -- "${!folders[@]}"
failed=0 data_fetched=
for package in "$@"; do
    if [ -z "${folders[$package]:-}" ]; then
        sed -n '2,/^# They/s/^# \{0,1\}//p' "$0" >&2
        exit 2
    fi
    fetch_data "$package" "${folders[$package]}" || failed=1
done
[ $failed -ne 0 ] || [ -n "$data_fetched" ] || say "all there: $*"
exit $failed
