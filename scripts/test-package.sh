#!/usr/bin/env bash
# The .deb in a chroot of its own: installs with its dependencies, starts as its unit says, answers,
# stops, and leaves nothing when it is purged. Needs root (mmdebstrap, chroot, mounts).
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "package: FAILED: $*" >&2
    exit 1
}
not_run() {
    echo "not run: $*"
    [[ -z "${LLM_FIRECRACKER_REQUIRE:-}" ]]
    exit
}
[[ $EUID -eq 0 ]] || not_run "the package's test needs root for its chroot"
command -v mmdebstrap >/dev/null || not_run "mmdebstrap is missing: make setup"

deb=$(scripts/package.sh | tail -1)
root=$(mktemp -d)
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
clean_up() {
    for mount in sys/fs/cgroup sys proc dev; do
        if mountpoint -q "$root/$mount"; then umount -R "$root/$mount"; fi
    done
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT

# The same release and mirror as this machine's, and its backports: Debian 12 has QEMU 8.2 only there.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' \
    | awk -v c="$codename" '$2 == c {print $1; exit}')
mmdebstrap --quiet --variant=minbase --include=ca-certificates "$codename" "$root" \
    "deb $mirror $codename main" "deb $mirror $codename-backports main"
cp "$deb" "$root/package.deb"
inside dpkg-query -W -f '${Package}\n' | sort >"$root/packages-before"
(cd "$root" && find etc usr var -xdev | sort) >"$root/before"

inside apt-get install -y -qq --no-install-recommends -t "$codename-backports" /package.deb >"$root/install.log" 2>&1 \
    || { tail -20 "$root/install.log"; fail "it does not install"; }
inside llm-firecracker --version
inside test -x /usr/lib/llm-firecracker/llm-firecracker-agent
inside sh -c 'systemd-analyze verify /lib/systemd/system/llm-firecracker.service 2>&1' || true

for mount in dev proc sys; do
    mkdir -p "$root/$mount"
    mount --rbind "/$mount" "$root/$mount"
    mount --make-rslave "$root/$mount"
done
# The command is the unit's own; what systemd would make before it, is made here.
command=$(sed -n 's/^ExecStart=//p' "$root/lib/systemd/system/llm-firecracker.service")
mkdir -p -m 700 "$root/var/lib/llm-firecracker"
log=$root/service.log
chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin $command --listen 127.0.0.1:0 >"$log" 2>&1 &
service=$!
address=""
for _ in $(seq 600); do
    address=$(sed -n 's/.* listening on //p' "$log")
    [[ -n "$address" ]] && break
    kill -0 $service 2>/dev/null || { cat "$log"; fail "it does not start"; }
    sleep 0.2
done
[[ -n "$address" ]] || { cat "$log"; fail "it does not listen"; }
curl -sSf "http://$address/healthz"
echo
curl -sSf "http://$address/readyz"
echo
kill -TERM $service
wait $service || { cat "$log"; fail "it does not stop well"; }

inside dpkg --purge llm-firecracker >"$root/purge.log" 2>&1 || { cat "$root/purge.log"; fail "it does not purge"; }
(cd "$root" && find etc usr var -xdev | sort) >"$root/after"
# Its dependencies stay, as they do after any dpkg --purge; what is of its own name must be gone.
left=$(comm -13 "$root/before" "$root/after" | grep -i llm-firecracker | grep -v '^var/lib/dpkg' || true)
[[ -z "$left" ]] || fail "left behind: $left"
echo "package: $(basename "$deb") installs, starts, stops and leaves nothing"
