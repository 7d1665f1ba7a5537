#!/usr/bin/env bash
# Each target of fuzz/ under libFuzzer, SECONDS each (default 60); of all targets, or of those that are named.
# Usage: scripts/fuzz.sh [SECONDS [TARGET...]]
# It needs a nightly compiler, for the sanitizer and its coverage; without one it exits with 77 and says so.
# What it finds is in target/fuzz/found; the corpus in target/fuzz/corpus grows from run to run.
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "fuzz: not run, there is no nightly compiler (rustup toolchain install nightly)"
    exit 77
fi
if ! command -v cargo-fuzz >/dev/null; then
    export PATH="$PWD/target/tools/bin:$PATH"
fi
if ! command -v cargo-fuzz >/dev/null; then
    echo "cargo-fuzz: installing (once, some seconds)"
    cargo install --quiet --locked --root target/tools cargo-fuzz || exit 1
fi

# The only list of targets is the manifest's, which a test compares with crates/fuzzing.
if [[ $# -eq 0 ]]; then
    mapfile -t targets < <(cargo fuzz list)
    set -- "${targets[@]}"
fi
cargo +nightly fuzz build --target-dir target/fuzz || exit 1

failed=()
mkdir -p target/fuzz/found
for target in "$@"; do
    corpus=target/fuzz/corpus/$target
    mkdir -p "$corpus"
    # One allocation above 64 MiB, or 1 GiB in all with the sanitizer's own, is a finding; so is an input
    # that takes 10 s.
    if target/fuzz/x86_64-unknown-linux-gnu/release/"$target" "$corpus" "fuzz/seeds/$target" \
        -max_total_time="$seconds" -timeout=10 -malloc_limit_mb=64 -rss_limit_mb=1024 \
        -artifact_prefix="target/fuzz/found/$target-" -print_final_stats=1 2>target/fuzz/"$target".log; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' target/fuzz/"$target".log)
        covered=$(grep -o 'cov: [0-9]*' target/fuzz/"$target".log | tail -1)
        echo "$target: $runs inputs in $seconds s, nothing found ($covered)"
    else
        failed+=("$target")
        echo "$target: FAILED, see target/fuzz/$target.log"
        tail -30 target/fuzz/"$target".log
    fi
done
[[ ${#failed[@]} -eq 0 ]]
