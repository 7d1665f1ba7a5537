#!/usr/bin/env bash
# Boots the lab's machine and runs one script in it.
#   lab/boot.sh SHARE    SHARE/test runs there with SHARE mounted on /share, read-only
# Prints what the script prints and exits with its status; 124 when it took longer than LAB_TIMEOUT_SECONDS,
# 77, 'not run', when the emulated machine failed by itself or did not come up, for which nothing that runs
# in it is to blame.
#
# The machine is emulated, AMD's virtualisation included: its /dev/kvm is real, whatever runs this.
# With one CPU instead of two a clone takes more than 0.15 of a boot there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
share=$1
state=${LLM_FIRECRACKER_STATE_DIR:-/var/lib/llm-firecracker}
memory_mib=${LAB_MEMORY_MIB:-4096}
limit_seconds=${LAB_TIMEOUT_SECONDS:-1800}
up_seconds=120

machine=$("$here/build.sh" "$state")
run=$(mktemp -d "$state-lab/run-XXXXXX")
emulator=
trap '[[ -z $emulator ]] || kill "$emulator" 2>/dev/null || true; rm -rf "$run"' EXIT
touch "$share/environment"
mkfs.erofs --quiet "$run/share.erofs" "$share" >/dev/null
truncate -s 16G "$run/scratch"
mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$run/scratch"

disk() { # disk FILE OPTIONS: disks appear in the guest in the order in which they are given
    echo -drive "if=none,id=d$1,file=$2,format=raw,cache=unsafe,$3" -device "virtio-blk-pci,drive=d$1"
}
# Through a pipe: what QEMU opens as its output would else be written over by whoever has the same file open.
exec 3> >(cat)
printer=$!
# shellcheck disable=SC2046  # the words of disk() are meant to be split
timeout --kill-after=10 "$limit_seconds" qemu-system-x86_64 \
    -machine q35,accel=tcg,usb=off,smbus=off -cpu max -smp 2 -m "$memory_mib" \
    -nodefaults -no-user-config -no-reboot -display none -nic none \
    -kernel "$machine/vmlinuz" -initrd "$machine/initrd" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check tsc=reliable clocksource=tsc" \
    $(disk 0 "$machine/root.erofs" readonly=on) \
    $(disk 1 "$run/share.erofs" readonly=on) \
    $(disk 2 "$run/scratch" discard=unmap) \
    -device virtio-rng-pci -device virtio-serial-pci \
    -chardev "file,id=console,path=$run/console" -serial chardev:console \
    -chardev file,id=out,path=/dev/stdout -device virtserialport,chardev=out,name=lab.out \
    -chardev "file,id=status,path=$run/status" -device virtserialport,chardev=status,name=lab.status \
    </dev/null >&3 3>&- &
emulator=$!
exec 3>&-

# Its first word on that port is 'up'. Until then nothing of ours runs in it: what hangs is the emulation.
began=$SECONDS
until [[ -s $run/status ]] || ! kill -0 "$emulator" 2>/dev/null; do
    if ((SECONDS - began >= up_seconds)); then
        kill "$emulator"
        break
    fi
    sleep 0.2
done
code=0
wait "$emulator" || code=$?
wait "$printer"
said=$(tail -n 1 "$run/status" 2>/dev/null || true)
if [[ $said =~ ^[0-9]+$ ]]; then exit "$said"; fi
tail -n 100 "$run/console" >&2
if [[ $said == up && ($code -eq 124 || $code -eq 137) ]]; then
    echo "lab: no end within $limit_seconds s; above, the end of the machine's console" >&2
    exit 124
fi
[[ $said == up ]] && how="failed while tests ran" || how="never came up"
echo "lab: not run: the machine $how (QEMU: $code); above, the end of its console" >&2
exit 77
