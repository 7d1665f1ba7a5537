#!/usr/bin/env bash
# Boots the systemd of a root file system as process 1 of namespaces of its own, so that a unit is run as it says
# and no host is touched. Runs until it is killed; then everything it started is gone.
#   scripts/systemd-in-root.sh ROOT GROUP UNIT    GROUP: a name for its cgroups, which the caller removes
# Its network is the host's. Exits with 77 where it cannot.
set -euo pipefail
root=$1 group=$2 unit=$3

# First of all in there: bubblewrap looks at process 2 of the tool's /proc, which on a host is always there.
if [[ -n "${SYSTEMD_IN_ROOT:-}" ]]; then sleep infinity & fi

unable() {
    echo "not run: systemd cannot be process 1 of a namespace here: $*" >&2
    exit 77
}

# This host's trees of cgroups but cpuset, which wants settings before it takes a process.
trees=$(awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/fs/cgroup" && $4 !~ /cpuset/ {print $2}' /proc/self/mounts)

if [[ -z "${SYSTEMD_IN_ROOT:-}" ]]; then
    [[ $EUID -eq 0 ]] || unable "it needs root"
    [[ -x "$root/lib/systemd/systemd" ]] || unable "$root has none"
    # A group of its own in each tree, which is all of that tree that it sees.
    for tree in $trees; do
        mkdir -p "$tree/$group" && echo $$ >"$tree/$group/cgroup.procs" || unable "no cgroup in $tree"
    done
    SYSTEMD_IN_ROOT=1 exec unshare --cgroup --mount --pid --uts --ipc --fork --kill-child --propagation private \
        "$0" "$@"
fi

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
if [[ "$trees" == /sys/fs/cgroup ]]; then
    mount --bind "/sys/fs/cgroup/$group" "$root/sys/fs/cgroup"
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    for tree in $trees; do
        mkdir "$root$tree"
        mount --bind "$tree/$group" "$root$tree"
    done
fi
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom tty kvm; do
    [[ -e "/dev/$device" ]] || continue
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" && mount -t tmpfs tmpfs "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
# What callers add to units: it goes with this namespace.
if [[ -d "$root/systemd-test" ]]; then
    mkdir "$root/run/systemd"
    cp -r "$root/systemd-test" "$root/run/systemd/system"
fi
# Not chroot: from within one no user namespace can be made, and jails are made of those.
mkdir "$root/run/old"
cd "$root" && pivot_root . run/old
cd / && umount --lazy /run/old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=null --unit="$unit"
