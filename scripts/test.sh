#!/usr/bin/env bash
# All tests; one summary at the end. A step that cannot run here exits with 77, says why, and is counted as
# 'not run', never as passed. Lanes run side by side: the tests with VMs; the attacks and the service as a process; and, with
# what those leave of the CPUs, all that needs no VM.
#   scripts/test.sh          what CI runs: everything on the engine that jobs get here; where that is User-Mode Linux, a
#                            thin layer on QEMU, whose emulation takes minutes for seconds; a part of the lab
#   scripts/test.sh --all    everything on both, and the whole lab: hours
#
# | where jobs get User-Mode Linux                      | here, User-Mode Linux | here, QEMU (tcg)          | --all adds    |
# |---|---|---|---|
# | tables of languages, given programs                 | of five, and c, perl, sqlite | hello in each language | of all fifteen, on QEMU too |
# | endings, kills at each step, walls, events, secrets | all                   |                           | all on QEMU   |
# | programs of data science, beside the same natively  | 19                    |                           | 100, and of python-data-full |
# | CPython's own tests, beside the same natively        |                       |                           | 190 modules; 133 on QEMU, too |
# | fresh VMs that draw nothing twice                   | 50 (go, rust: 10)     | 8 clones of python        | 50 clones     |
# | snapshots: damaged                                  | has none              | all damages               |               |
# | snapshots: of another size, kills at each load step | has none              |                           | both          |
# | pool: 200 jobs and kills, draws, loaded endings     | all                   |                           | all on QEMU   |
# | VMMs that stand by, silent clones, a full disk      | has none              | all                       |               |
# | the service, as a crate and as a process            | all                   |                           | all on QEMU   |
# | sandboxes that are paused, copied and forked        | refused               | one, across a restart     | all on QEMU   |
# | the TypeScript SDK                                  | all                   |                           |               |
# | what other people's clients wait for                |                       |                           | all           |
# | attacks                                             | all                   | of privilege; what the channel carries | all on QEMU |
# | the lab's real KVM                                  |                       | bash: hello, kill -9, a few attacks | whole lab |
set -uo pipefail
cd "$(dirname "$0")/.."
all=""
[[ "${1:-}" == "--all" ]] && all=yes

passed=() failed=() not_run=()
logs=$(mktemp -d)
declare -A beside=()
clean_up() {
    local lane
    for lane in "${beside[@]}"; do kill -- "-$lane" 2>/dev/null; done
    rm -rf "$logs"
}
trap clean_up EXIT
step() { # step NAME COMMAND...
    local name=$1
    shift
    printf '\n=== %s\n' "$name"
    local begun=$SECONDS
    "$@" 2>&1 | tee "$logs/step"
    local code=${PIPESTATUS[0]}
    case $code in
    0) passed+=("$name ($((SECONDS - begun)) s)") ;;
    77) not_run+=("$name") ;;
    *)
        failed+=("$name ($((SECONDS - begun)) s, exit code $code)")
        mv "$logs/step" "$logs/failed-${#failed[@]}"
        ;;
    esac
}
# What a failed step says of its failure, or its last words: told again at the end, where it is looked for.
why() { # why LOG
    grep -E 'FAILED|panicked|assertion|GAVE WAY|not run|^error' -A 3 "$1" | head -60
    echo "…"
    tail -n 20 "$1"
}

tool=target/release/llm-firecracker
# A machine that runs all tests must be able to: an image or a program that is missing fails them.
export LLM_FIRECRACKER_REQUIRE=1
# All at once, with the features that the whole workspace wants of its dependencies, and the tool with them: another
# selection, or another profile, would compile much of it once more, and hold up the lanes.
build() {
    make --no-print-directory agent && cargo test -q --release --workspace --no-run
}
vm_tests=" e2e serve http vms jail firecracker "
tests_without_vms() { # as arguments of cargo
    local file name
    for file in crates/*/tests/*.rs crates/*/tests/*/main.rs; do
        name=${file%/main.rs}
        name=$(basename "$name" .rs)
        [[ $vm_tests == *" $name "* ]] || echo "--test=$name"
    done
}
vm_test() { # vm_test NAME ARGUMENTS_OF_THE_TESTS...
    cargo test -q --no-fail-fast --release --workspace --test "$1" -- "${@:2}"
}
on_qemu() { # on_qemu COMMAND...
    LLM_FIRECRACKER_ENGINE=qemu "$@"
}
# Tests of what User-Mode Linux has not.
of_snapshots=(snapshot step_of_load)
of_clones=(silent_clone standby full_disk)
without() { # without WORD...: as arguments of the tests
    printf -- '--skip\n%s\n' "$@"
}

# Of the channel's attacks, those that the VMM and the way to the host have to bear. What a message may say is judged by one
# host for all engines.
carried=(length-4-gib half-header half-frame frame-almost-whole byte-a-write stdout-after-exit stdout-flood stderr-flood
    tiny-frames credit-flood credit-ignored junk-flood early-flood never-running artifact-flood artifact-beyond-credit
    cut-short hangs-up reboots halts panics console-flood exit-number)
# Lanes beside what is told at once. Each has uids, cgroups and state folders of its own.
without_vms() { # takes what the others leave of the CPUs
    renice -n 19 "$BASHPID" >/dev/null
    step "format and clippy" make --no-print-directory style
    step "units" cargo test -q --no-fail-fast --release --workspace --lib --bins
    mapfile -t rooms < <(tests_without_vms)
    step "rooms without VMs" cargo test -q --no-fail-fast --release --workspace "${rooms[@]}"
    step "the package" env PACKAGE_OF_WHAT_IS_BUILT=yes scripts/test-package.sh
    step "dependencies" scripts/cargo-deny.sh
}
the_labs_machine() {
    renice -n 19 "$BASHPID" >/dev/null
    step "the lab's machine" lab_machine
}
attacks() {
    step "attacks from inside" "$tool" selftest
    if [[ -z $all && $engine == uml ]]; then
        # Ahead of the other lanes: emulated beside two of them, the way to a program's start takes longer than the judge allows.
        step "QEMU: attacks from inside" on_qemu nice -n -10 "$tool" selftest --kind privilege "${carried[@]/#/--only=}"
    fi
    step "the service as a process, with other people's clients" vm_test serve --test-threads 1
}
lab_machine() {
    lab/setup.sh && lab/build.sh "${LLM_FIRECRACKER_STATE_DIR:-/var/lib/llm-firecracker}"
}
# Steps with what they say, and what came of them, in a folder of their own, until `join` tells both.
start_beside() { # start_beside FUNCTION
    local others=$logs/$1
    mkdir "$others"
    set -m
    (
        logs=$others passed=() failed=() not_run=()
        "$1"
        printf '%s+=(%s)\n' passed "${passed[*]@Q}" failed "${failed[*]@Q}" not_run "${not_run[*]@Q}" >"$others/outcome"
    ) >"$others/said" 2>&1 </dev/null &
    beside[$1]=$!
    set +m
}
join() { # join FUNCTION
    wait "${beside[$1]}"
    unset "beside[$1]"
    cat "$logs/$1/said"
    local before=${#failed[@]} log
    # shellcheck disable=SC1090
    if ! source "$logs/$1/outcome"; then failed+=("$1, which did not end"); fi
    for log in "$logs/$1"/failed-*; do
        [[ -e $log ]] && mv "$log" "$logs/failed-$((before + ${log##*-}))"
    done
}

step "build the tool, the agents and the tests with VMs" build
step "images" "$tool" images build --kernel all
# Those of crates/cli/tests/e2e/cases/more.rs: their images.
if [[ -n $all ]]; then
    export LLM_FIRECRACKER_ALL_LANGUAGES=1
    step "images of all languages" "$tool" images build --kernel all --all
    step "the image of CPython's own tests" "$tool" images build tests/images/cpython.toml
else
    step "images of three more languages, of data science, of agents" "$tool" images build c perl sqlite python-data agent
fi
engine=$("$tool" run --lang bash -c : --json | sed -n 's/.*"engine":"\([a-z]*\)".*/\1/p')
printf '\n=== jobs get the engine %s\n' "${engine:-that is missing}"
mapfile -t no_snapshots < <([[ $engine != uml ]] || without "${of_snapshots[@]}")
mapfile -t no_clones < <(without "${of_clones[@]}")

# The frameworks' own suites take minutes, and a dozen packages each.
[[ -n $all ]] && sdk=() || sdk=(--quick)

step "the jail with real VMMs" vm_test jail
step "Firecracker's jailer" vm_test firecracker
start_beside the_labs_machine
start_beside without_vms
start_beside attacks
step "the tool with real VMs" vm_test e2e "${no_snapshots[@]}"
step "the pool with real VMs" vm_test vms "${no_clones[@]}"
step "the service over HTTP with real VMs" vm_test http
step "the Python SDK" scripts/test-sdk-python.sh "${sdk[@]}"
step "the TypeScript SDK, on Node, Deno and Bun" scripts/test-sdk-typescript.sh
# These ask for QEMU by themselves.
step "snapshots and their clones" vm_test vms "${of_clones[@]}"
if [[ -z $all && $engine == uml ]]; then
    thin=(_cases no_two_fresh_python_vms nothing_of_one_job a_damaged_snapshot)
    step "QEMU: hello, clones, a damaged snapshot" on_qemu env LLM_FIRECRACKER_CASE=hello LLM_FIRECRACKER_DRAWS=8 \
        cargo test -q --release --workspace --test e2e -- "${thin[@]}"
fi
join attacks
join the_labs_machine
if [[ -z $all ]]; then
    # One language and attacks that need no other, one guest at a time. 'make lab' runs all.
    lab=(something_can_be_run bash_cases kill_9_of_the_tool selftest compare)
    step "the lab: real KVM in an emulated machine" env LAB_LANGUAGES="${LAB_LANGUAGES:-bash}" LAB_TIMEOUT_SECONDS=1200 \
        LLM_FIRECRACKER_CASE=hello LAB_ATTACKS="--only fork-bomb --only other-job" lab/run.sh "${lab[@]}"
fi
join without_vms
if [[ -n $all && $engine == uml ]]; then
    step "QEMU: the tool with real VMs" on_qemu vm_test e2e
    step "QEMU: the pool with real VMs" on_qemu vm_test vms "${no_clones[@]}"
    step "QEMU: the service over HTTP with real VMs" on_qemu vm_test http
    step "QEMU: the service as a process" on_qemu vm_test serve --test-threads 1
    step "QEMU: attacks from inside" on_qemu "$tool" selftest
fi
if [[ -n $all ]]; then
    step "what other people's clients wait for" scripts/client-bars.py
    step "the package, its unit under a systemd of its own" env PACKAGE_OF_WHAT_IS_BUILT=yes scripts/test-installed.sh
    step "the lab: real KVM in an emulated machine" env LAB_TIMEOUT_SECONDS=14400 lab/run.sh
fi

printf '\n=== summary\n'
[[ -d target/artifacts ]] && echo "to look at: $(find target/artifacts -type f | sort | tr '\n' ' ')"
for number in "${!failed[@]}"; do
    printf -- '--- %s\n' "${failed[$number]}"
    why "$logs/failed-$((number + 1))"
done
for name in "${passed[@]}"; do echo "passed   $name"; done
for name in "${not_run[@]}"; do echo "not run  $name"; done
for name in "${failed[@]}"; do echo "FAILED   $name"; done
echo "${#passed[@]} passed, ${#failed[@]} failed, ${#not_run[@]} not run"
[[ ${#failed[@]} -eq 0 ]]
