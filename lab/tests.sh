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
attacks=yes
if [[ -n $LAB_FILTERS ]]; then
    attacks= filters=()
    for filter in $LAB_FILTERS; do
        if [[ $filter == selftest ]]; then attacks=yes; else filters+=("$filter"); fi
    done
fi

read -ra battery <<<"$LAB_ATTACKS"

step() { # step ENGINE NAME COMMAND...
    local engine=$1 name=$2 begun=$SECONDS
    shift 2
    echo "=== $engine: $name"
    if "$@"; then
        summary+=("$engine: $name passed ($((SECONDS - begun)) s)")
    else
        summary+=("$engine: $name FAILED ($((SECONDS - begun)) s)")
        status=1
    fi
}

on_kvm() { # the engine's own word for what runs the guest
    local seen
    seen=$("$tool" run --lang bash -c 'echo hello' --json --no-snapshot | jq -c .isolation)
    echo "isolation: $seen"
    jq -e --arg engine "$LLM_FIRECRACKER_ENGINE" '.accelerator == "kvm" and .engine == $engine' <<<"$seen" >/dev/null
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

test_engine() {
    export LLM_FIRECRACKER_ENGINE=$1
    step "$1" "runs on kvm" on_kvm
    if ((${#filters[@]})); then
        step "$1" "end-to-end tests" /share/e2e --nocapture --test-threads=1 "${filters[@]}"
    fi
    if [[ -n $attacks ]]; then
        step "$1" "selftest ${battery[*]}" "$tool" selftest "${battery[@]}"
    fi
    step "$1" "clone against boot" clone_against_boot
    step "$1" "nothing left behind" nothing_left
}

[[ -e /dev/kvm ]] || { echo "lab: not run: no /dev/kvm in the machine, for its emulation lacks AMD-V"; exit 77; }
for engine in $LAB_ENGINES; do
    if [[ $engine == firecracker && ! -x /share/bin/firecracker ]]; then
        summary+=("firecracker: not run, no binary")
        continue
    fi
    [[ $engine == firecracker ]] && export FIRECRACKER_BIN=/share/bin/firecracker JAILER_BIN=/share/bin/jailer
    test_engine "$engine"
done
printf '\n=== lab\n'
printf '%s\n' "${summary[@]}"
exit $status
