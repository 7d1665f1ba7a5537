#!/bin/sh
# What a change costs a pooled python hello: the tool of one tree and that of another, in turns, and the ratio of their
# medians. Each tree has been built (target/release, or CARGO_TARGET_DIR below it). Each has a state folder with python's
# image, for formats differ.
#
#   scripts/pooled-before-after.sh BEFORE_TREE AFTER_TREE
#   BEFORE_STATE=DIR AFTER_STATE=DIR ROUNDS=8 RUNS=15    as in the environment; 8 rounds of 15 runs by default
set -eu

if [ $# -ne 2 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
before=$1 after=$2
before_state=${BEFORE_STATE:-$before/target/state}
after_state=${AFTER_STATE:-/var/lib/llm-firecracker}
rounds=${ROUNDS:-8} runs=${RUNS:-15}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# One round of one tree: its median and its fastest run, in milliseconds, are added to its file.
measure() {
    name=$1 tree=$2 state=$3
    LLM_FIRECRACKER_STATE_DIR=$state "$tree/target/release/llm-firecracker" \
        bench python --paths pool --runs "$runs" --json 2>"$results/said" >"$results/json" </dev/null || {
        cat "$results/said" >&2
        exit 1
    }
    jq -r '.latency[0].total | "\(.p50_seconds * 1000) \(.min_seconds * 1000)"' "$results/json" >>"$results/$name"
}

round=0
while [ "$round" -lt "$rounds" ]; do
    # Who goes first changes: a machine that drifts is unfair to neither.
    if [ $((round % 2)) -eq 0 ]; then
        measure before "$before" "$before_state"
        measure after "$after" "$after_state"
    else
        measure after "$after" "$after_state"
        measure before "$before" "$before_state"
    fi
    round=$((round + 1))
    tail -qn1 "$results/before" "$results/after" | tr '\n' ' ' |
        awk -v round="$round" '{ printf "round %d: before %.1f ms, after %.1f ms\n", round, $1, $3 }' >&2
done

# The median of a column: 1, medians of rounds, or 2, fastest runs, which other work on the machine disturbs least.
median() {
    sort -n -k "$2,$2" "$results/$1" |
        awk -v column="$2" '{ all[NR] = $column } END { print (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) / 2 }'
}
awk -v before="$(median before 1)" -v after="$(median after 1)" \
    -v before_fastest="$(median before 2)" -v after_fastest="$(median after 2)" \
    -v rounds="$rounds" -v runs="$runs" 'BEGIN {
    ratio = after / before
    held = ratio <= 1.1 ? "held    " : "NOT HELD"
    printf "%s  pooled python hello, after over before: %.2f, at most 1.1\n", held, ratio
    printf "          p50 %.1f ms after, %.1f ms before; the fastest of a round %.1f ms, %.1f ms: %.2f; %d rounds of %d runs\n",
        after, before, after_fastest, before_fastest, after_fastest / before_fastest, rounds, runs
    exit ratio > 1.1
}'
