#!/bin/bash
# Kills a VM's processes and its tool at many moments of boot and run; after each nothing may be left.
#   killed.sh TOOL    LLM_FIRECRACKER_ENGINE says which engine
# A tool that is killed leaves folders, which its successor's sweep removes; processes never.
set -uo pipefail
tool=$1
processes() { # processes NAME…: ids of those that run a program of one of these names
    local comm
    for comm in /proc/[0-9]*/comm; do
        read -r name_seen 2>/dev/null <"$comm" || continue
        for wanted in "$@"; do [[ $name_seen == "$wanted"* ]] && basename "${comm%/comm}"; done
    done
}
all=(firecracker jailer qemu-system bwrap)
victim() { # victim NAME: a process of it
    case $1 in
        tool) echo "$job" ;;
        vmm) processes firecracker jailer qemu-system | tail -n 1 ;;
        jail) processes bwrap | tail -n 1 ;;
    esac
}
left() {
    for pid in $(processes "${all[@]}"); do echo "process $pid $(<"/proc/$pid/comm")"; done
    ls -A /srv/jailer/firecracker /var/lib/llm-firecracker/run 2>/dev/null | grep -v -e ':$' -e '^$'
    find /sys/fs/cgroup -mindepth 2 -type d -path '*/llm-firecracker/*'
    grep -e /srv/jailer -e /var/lib/llm-firecracker/run /proc/self/mounts
}
for name in tool vmm jail; do
    for delay in 0.05 0.3 1 3; do
        "$tool" run --lang bash -c 'sleep 60' --no-snapshot >/dev/null 2>&1 &
        job=$!
        sleep "$delay" # the moment that is tested, not a wait for something
        pid=$(victim "$name") && kill -9 "$pid" 2>/dev/null
        if [[ -z $pid ]]; then kill -9 "$job"; fi
        wait "$job" 2>/dev/null
        for _ in {1..40}; do [[ -z $(processes "${all[@]}") ]] && break; sleep 0.05; done
        if [[ $name == tool || -z $pid ]]; then "$tool" clean >/dev/null; fi
        seen=$(left)
        if [[ -n $seen ]]; then
            echo "$name killed after $delay s left: $seen"
            exit 1
        fi
    done
done
