#!/bin/bash
# Runs in the lab's machine: the same tests for each engine that is there. LAB_RELEASE is where the
# test binary looks for the tool.
set -uo pipefail
cd /
target=${LAB_RELEASE%/release}
# State folders and chroots on one mount of the scratch disk: it maps owners, and files move within it.
mkdir -p "$LAB_RELEASE" "$target/tmp" /scratch/target /srv
mount --bind /scratch/target "$target/tmp"
mkdir -m 700 "$target/tmp/jailer" && ln -s "$target/tmp/jailer" /srv/jailer
cp /share/bin/llm-firecracker* "$LAB_RELEASE/"
cp -r /share/images /var/lib/llm-firecracker/
tool=$LAB_RELEASE/llm-firecracker
export LLM_FIRECRACKER_REQUIRE=1 LLM_FIRECRACKER_ACCEL=auto
# Two guests side by side are more than the emulation of AMD-V bears: now and then one triple-faults in
# fetching the instruction that it was entered at, a booted one as well as a clone (docs/firecracker.md).
export LLM_FIRECRACKER_E2E_SLOTS=1
summary=() status=0

uname -r; echo "cgroups: $(stat -fc %T /sys/fs/cgroup)"; "$tool" setup 2>&1 | sed 's/^/setup: /'

# The tables of the languages that are here, clones that share no secret, endings that leave nothing.
filters=(something_can_be_run)
for language in $LAB_LANGUAGES; do filters+=("${language}_cases"); done
filters+=(kill_9_of_the_tool every_way_to_end killed_at_each_step)
for language in $LAB_LANGUAGES; do filters+=("no_two_fresh_${language}_vms"); done
# What is not a test's name is a command of the tool, which is a step.
if [[ -n $LAB_FILTERS ]]; then
    filters=()
    for filter in $LAB_FILTERS; do
        [[ $filter =~ ^(selftest|compare|bench)$ ]] || filters+=("$filter")
    done
fi
wanted() { [[ -z $LAB_FILTERS || " $LAB_FILTERS " == *" $1 "* ]]; }

read -ra battery <<<"$LAB_ATTACKS"

step() { # step NAME COMMAND...
    local name=$1 begun=$SECONDS
    shift
    echo "=== $row: $name"
    if "$@"; then
        summary+=("$row: $name passed ($((SECONDS - begun)) s)")
    else
        summary+=("$row: $name FAILED ($((SECONDS - begun)) s)")
        status=1
    fi
}

on_kvm() { # the engine's own word for what ran a guest, which answered
    local seen
    seen=$("$tool" run --lang bash -c 'echo hello' --json --no-snapshot | jq -c '{status, stdout} + .isolation')
    echo "seen: $seen"
    jq -e --arg engine "$LLM_FIRECRACKER_ENGINE" \
        '.status == "ok" and .accelerator == "kvm" and .engine == $engine' <<<"$seen" >/dev/null
}

nothing_left() {
    local left
    left=$(ls -A /srv/jailer/firecracker 2>/dev/null; ls -A "$target/tmp/e2e/state/run" /var/lib/llm-firecracker/run 2>/dev/null | grep -v ':$'
        find /sys/fs/cgroup -mindepth 1 -type d -path '*llm-firecracker*/*'; pgrep -lx 'firecracker'; pgrep -l 'qemu-system'; pgrep -lx bwrap)
    [[ -z ${left//$'\n'/} ]] || { echo "left behind: $left"; return 1; }
}

clone_against_boot() { # at most 0.15 of a boot, side by side
    local ratio
    "$tool" compare --runs 5 --json >/tmp/compare.json || return 1
    jq -c '.rows[] | {technology, installed, p50_seconds, p95_seconds}' /tmp/compare.json
    ratio=$(jq '[.rows[] | {(.technology): .p50_seconds}] | add | .clone / .boot' /tmp/compare.json) || return 1
    echo "clone to result is $ratio of boot to result; at most 0.15"
    jq -en "$ratio <= 0.15" >/dev/null
}

# A job that came by another path than the one timed fails `bench`: what it calls 'pool' had waited there.
pool_against() { # pool_against PATH LANGUAGE: at most half of a VM by that path, from the request to the result
    # A cold interpreter takes longer here than the ten seconds that a job has by default.
    printf '[limits.defaults]\ntimeout_seconds = 120\ncompile_timeout_seconds = 300\n' >/tmp/bench.toml
    "$tool" bench "$2" --config /tmp/bench.toml --runs "$LAB_RUNS" --json >/tmp/bench.json || return 1
    jq -c '.latency[] | {path, p50: .total.p50_seconds, p95: .total.p95_seconds, vm_p50: .until_vm.p50_seconds}' /tmp/bench.json
    jq -er --arg path "$1" '[.latency[] | {(.path): .total.p50_seconds}] | add | .pool / .[$path]
        | "pool to result is \(.) of \($path) to result; at most 0.5", . <= 0.5' /tmp/bench.json
}

test_engine() { # test_engine ENGINE ROW
    export LLM_FIRECRACKER_ENGINE=$1
    row=$2
    step "runs on kvm" on_kvm
    if ((${#filters[@]})); then
        step "end-to-end tests" /share/e2e --nocapture --test-threads=1 "${filters[@]}"
    fi
    if wanted selftest; then
        step "selftest ${battery[*]}" "$tool" selftest "${battery[@]}"
    fi
    # Where clones are refused every VM is booted, and the pool is measured against that.
    local path=clone refused
    refused=$("$tool" snapshots create bash 2>&1 | grep -o "snapshots are not possible: .*")
    if [[ -n $refused ]]; then path=boot; fi
    if wanted compare; then
        if [[ $path == clone ]]; then
            step "clone against boot" clone_against_boot
        else
            summary+=("$row: clone against boot not run, $refused")
        fi
    fi
    if wanted bench; then
        for language in $LAB_LANGUAGES; do
            step "pool against $path, $language" pool_against "$path" "$language"
        done
    fi
    step "nothing left behind" nothing_left
}

[[ -e /dev/kvm ]] || { echo "lab: not run: no /dev/kvm in the machine, for its emulation lacks AMD-V"; exit 77; }
for engine in $LAB_ENGINES; do
    if [[ $engine != firecracker ]]; then
        test_engine "$engine" "$engine"
        continue
    fi
    for release in $LAB_FIRECRACKER; do
        export FIRECRACKER_BIN=/share/firecracker/$release/firecracker JAILER_BIN=/share/firecracker/$release/jailer
        test_engine firecracker "firecracker $release"
    done
    for release in $LAB_FIRECRACKER_MISSING; do
        summary+=("firecracker $release: not run, for LAB_FIRECRACKER names no binaries of it")
    done
done
printf '\n=== lab\n'
printf '%s\n' "${summary[@]}"
exit $status
