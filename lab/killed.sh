#!/bin/bash
# Kills a VM's processes and its tool at many moments of boot and run; after each nothing may be left.
#   killed.sh TOOL    LLM_FIRECRACKER_ENGINE says which engine
# A tool that is killed leaves folders, which its successor's sweep removes; processes never.
set -uo pipefail
tool=$1 status=0
victim() { # victim NAME: a process of it, the newest
    case $1 in
        tool) echo "$job" ;;
        vmm) pgrep -n 'firecracker|qemu-system' ;;
        jail) pgrep -n bwrap ;;
    esac
}
left() {
    pgrep -l 'firecracker|jailer|qemu-system|bwrap' | grep -v llm-firecracke
    ls -A /srv/jailer/firecracker /var/lib/llm-firecracker/run 2>/dev/null | grep -v -e ':$' -e '^$'
    find /sys/fs/cgroup -mindepth 2 -type d -path '*/llm-firecracker/*'
    grep -e /srv/jailer -e /var/lib/llm-firecracker/run /proc/self/mounts
}
for name in tool vmm jail; do
    for delay in 0.05 0.2 0.5 1 2 4 8; do
        "$tool" run --lang bash -c 'sleep 60' --no-snapshot >/dev/null 2>&1 &
        job=$!
        sleep "$delay" # the moment that is tested, not a wait for something
        pid=$(victim "$name") && kill -9 "$pid" 2>/dev/null
        if [[ -z $pid ]]; then kill -9 "$job"; fi
        wait "$job" 2>/dev/null
        for _ in {1..40}; do pgrep 'firecracker$|jailer|qemu-system|bwrap' >/dev/null || break; sleep 0.05; done
        [[ $name == tool || -z $pid ]] && "$tool" clean >/dev/null
        seen=$(left)
        if [[ -n $seen ]]; then
            echo "$name killed after $delay s left: $seen"
            status=1
        fi
    done
done
exit $status
