#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tests/models/run.sh - every interleaving of the core's protocols, by spin.
#
# Each model here must hold, as it is and with the macros of its "also:"
# comments; and spin must find a fault in each of its BROKEN_n variants, or it
# would not find one in the model either. `run.sh NAME` checks one model.
set -u
cd "$(dirname "$0")" || exit

SKIPPED=77
DEPTH=1000000 # of a search; more is an error of this script, not of the model

if ! command -v spin >/dev/null; then
    echo "SKIP models: spin is not installed"
    exit $SKIPPED
fi
out=$(mktemp -d) || exit
trap 'rm -rf "$out"' EXIT

complain() {
    echo "$1: $2"
    cat "$out/$1/log"
    : >"$out/failed"
}

# explore MODEL MACROS...: 0 if the search was complete; its log has the rest.
explore() {
    mkdir "$out/$id"
    cp "$1.pml" "$out/$id"
    (
        cd "$out/$id" || exit
        model=$1.pml
        shift
        spin -a "$@" "$model" && cc -O1 -w -DSAFETY -DCOLLAPSE -o pan pan.c &&
            ./pan -m$DEPTH -w23
    ) >"$out/$id/log" 2>&1 &&
        grep -q 'errors: ' "$out/$id/log" &&
        ! grep -q 'search depth too small' "$out/$id/log"
}

# check good|broken MODEL MACROS...
check() {
    expected=$1
    shift
    id=$(echo "$*" | tr ' ' .)
    if ! explore "$@"; then
        complain "$id" "was not explored"
    elif [ $expected = good ] && ! grep -q 'errors: 0' "$out/$id/log"; then
        complain "$id" "has a fault"
    elif [ $expected = good ] &&
        grep -q 'Search not completed' "$out/$id/log"; then
        complain "$id" "was not searched to its end"
    elif [ $expected = broken ] && grep -q 'errors: 0' "$out/$id/log"; then
        complain "$id" "is broken, and spin has found no fault"
    else
        echo "$id: $expected, $(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' \
            "$out/$id/log") states"
    fi
    rm -f "$out/$id/pan"*
}

# One after the other; the largest go on beside them.
for file in ${1:-*}.pml; do # not quoted: a pattern
    model=${file%.pml}
    for macros in $(sed -n 's/.*also: \(-D[A-Z0-9_=]*\).*/\1/p' "$file"); do
        check good "$model" "$macros" &
    done
    check good "$model"
    for n in $(sed -n 's/.*\(BROKEN_[0-9]*\).*/\1/p' "$file" | sort -u); do
        check broken "$model" "-D$n"
    done
done
wait
[ ! -e "$out/failed" ]
