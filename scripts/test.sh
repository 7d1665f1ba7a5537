#!/usr/bin/env bash
# All tests, in the order in which a failure is cheapest to hear of; one summary at the end. A step that
# cannot run here exits with 77, says why, and is counted as 'not run', never as passed.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=() failed=() not_run=()
step() { # step NAME COMMAND...
    local name=$1
    shift
    printf '\n=== %s\n' "$name"
    local begun=$SECONDS
    "$@"
    local code=$?
    case $code in
    0) passed+=("$name ($((SECONDS - begun)) s)") ;;
    77) not_run+=("$name") ;;
    *) failed+=("$name ($((SECONDS - begun)) s, exit code $code)") ;;
    esac
}

tool=target/release/llm-firecracker
# A machine that runs all tests must be able to: an image or a program that is missing fails them.
export LLM_FIRECRACKER_REQUIRE=1

step "units" cargo test -q --workspace --lib --bins
step "rooms without VMs" cargo test -q -p audit -p seccomp -p doctor -p setup -p selftest -p bench -p fuzzing --test '*'
step "build" make --no-print-directory build
step "images" "$tool" images build
step "the jail with real VMMs" cargo test -q --release -p vmm --test '*'
step "the tool with real VMs" cargo test --release -p cli --test e2e
step "the sandbox with real VMs" cargo test -q --release -p sandbox --test '*'
step "the service over HTTP with real VMs" cargo test --release -p server --test http
step "the service as a process, with other people's clients" cargo test --release -p cli --test serve -- --test-threads 1
step "the package" scripts/test-package.sh
step "attacks from inside" "$tool" selftest --require-all
# One language and one kind of attack there, one guest at a time: a quarter of an hour. 'make lab' runs all.
lab=(something_can_be_run bash_cases kill_9_of_the_tool every_way_to_end selftest)
step "the lab: real KVM in an emulated machine" env LAB_LANGUAGES="${LAB_LANGUAGES:-bash}" LAB_TIMEOUT_SECONDS=2400 LAB_ATTACKS="--kind exfiltration" lab/run.sh "${lab[@]}"

printf '\n=== summary\n'
[[ -d target/artifacts ]] && echo "to look at: $(find target/artifacts -type f | sort | tr '\n' ' ')"
for name in "${passed[@]}"; do echo "passed   $name"; done
for name in "${not_run[@]}"; do echo "not run  $name"; done
for name in "${failed[@]}"; do echo "FAILED   $name"; done
echo "${#passed[@]} passed, ${#failed[@]} failed, ${#not_run[@]} not run"
[[ ${#failed[@]} -eq 0 ]]
