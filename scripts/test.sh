#!/usr/bin/env bash
# All tests, in the order in which a failure is cheapest to hear of; one summary at the end.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=() failed=() not_run=()
step() { # step NAME COMMAND...
    local name=$1
    shift
    printf '\n=== %s\n' "$name"
    local begun=$SECONDS
    if "$@"; then
        passed+=("$name ($((SECONDS - begun)) s)")
    else
        failed+=("$name ($((SECONDS - begun)) s)")
    fi
}

step "tests without VMs" cargo test -q --workspace --lib --bins
step "build" make --no-print-directory build
step "images" target/release/llm-firecracker images build
export LLM_FIRECRACKER_REQUIRE=1
step "tests with real VMs" cargo test --release -p cli --test e2e

printf '\n=== summary\n'
for name in "${passed[@]}"; do echo "passed   $name"; done
for name in "${not_run[@]}"; do echo "not run  $name"; done
for name in "${failed[@]}"; do echo "FAILED   $name"; done
echo "${#passed[@]} passed, ${#failed[@]} failed, ${#not_run[@]} skipped"
[[ ${#failed[@]} -eq 0 ]]
