#!/usr/bin/env bash
# The .deb in a root of its own: installs with its dependencies; its unit is run by a systemd of that root, with all
# its hardening: it answers, runs a job under each engine whose kernel this machine has, and stops; nothing is left when
# it is purged. Exits with 77 where some of it cannot be tried.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "package: FAILED: $*" >&2
    exit 1
}
[[ $EUID -eq 0 ]] || { echo "not run: the package's test needs root for its chroot"; exit 77; }
command -v mmdebstrap >/dev/null || { echo "not run: mmdebstrap is missing: make setup"; exit 77; }
# Mounts of the chroot are in a namespace that goes with this script, however it ends.
if [[ -z "${PACKAGE_TEST_NAMESPACE:-}" ]]; then
    PACKAGE_TEST_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"
fi

deb=$(scripts/package.sh | tail -1)
[[ -f "$deb" ]] || fail "there is no package: $deb"

# The same release and mirror as this machine's, and its backports: Debian 12 has QEMU 8.2 only there.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' \
    | awk -v c="$codename" '$2 == c {print $1; exit}')
# What is fetched, is kept: the bare system, and the packages that are installed into it.
cache=$PWD/target/package-test
mkdir -p "$cache/archives/partial"
if [[ ! -f "$cache/$codename.tar" ]]; then
    mmdebstrap --quiet --variant=minbase --include=ca-certificates "$codename" "$cache/$codename.part.tar" \
        "deb $mirror $codename main" "deb $mirror $codename-backports main"
    mv "$cache/$codename.part.tar" "$cache/$codename.tar"
fi

root=$(mktemp -d)
group=llm-firecracker-package-$$
service="" manager="" not_run=""
clean_up() {
    if [[ -n "$service" ]]; then kill -KILL "$service" 2>/dev/null || true; fi
    end_manager
    umount --recursive --lazy "$root"/{dev,proc,sys,var/cache/apt/archives} 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
# The kernel ends what a namespace's process 1 leaves; only then its groups can be removed.
end_manager() {
    if [[ -n "$manager" ]]; then
        kill -KILL "$manager" 2>/dev/null || true
        wait "$manager" 2>/dev/null || true
        manager=""
    fi
    for tree in $(awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/fs/cgroup" {print $2}' /proc/self/mounts); do
        for _ in {1..50}; do
            [[ -d "$tree/$group" ]] || break
            find "$tree/$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
        done
    done
}
trap clean_up EXIT
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

tar -C "$root" -xf "$cache/$codename.tar"
for mount in dev proc sys; do
    mount --rbind "/$mount" "$root/$mount"
done
mount --bind "$cache/archives" "$root/var/cache/apt/archives"
files() { (cd "$root" && find etc usr var -xdev | sort); }

# Its dependencies come first, so that what comes after them, and must go again, is the package's own.
inside apt-get update -qq
cp "$deb" "$root/package.deb"
depends=$(dpkg-deb --field "$deb" Depends | sed 's/([^)]*)//g; s/,//g')
inside apt-get install -y -qq --no-install-recommends -t "$codename-backports" $depends systemd >"$root/depends.log" 2>&1 \
    || { tail -20 "$root/depends.log"; fail "its dependencies cannot be had"; }
files >"$root/before"
inside dpkg --install /package.deb >"$root/install.log" 2>&1 \
    || { cat "$root/install.log"; fail "it does not install"; }
echo "package: $(basename "$deb") installs: $(inside llm-firecracker --version)"

# What systemd says of the unit where the package put it: no key that it does not know, a program that is there.
unit=$root/lib/systemd/system/llm-firecracker.service
[[ -f "$unit" ]] || fail "it has no unit"
said=$(systemd-analyze verify --man=no --recursive-errors=no --root="$root" llm-firecracker.service 2>&1) \
    || fail "its unit: $said"
[[ -z "$said" ]] || fail "its unit: $said"

# Users and a cgroup of its own: another service may run on this machine. Jobs boot: a snapshot is not what is shown here.
mkdir -p "$root/etc/llm-firecracker"
configure() { # configure ENGINE
    printf '[server]\nlisten = "127.0.0.1:0"\n[engine]\nkind = "%s"\n[snapshots]\nenabled = false\n' "$1"
    printf '[vmm]\nuid_base = 45000\nuid_count = 100\ncgroup_parent = "llm-firecracker-package"\n'
} >"$root/etc/llm-firecracker/config.toml"
log=$root/service.log
address() { sed -n 's/.* listening on //p' "$log"; }
ask_pages() {
    for page in healthz readyz metrics; do
        # Without images it is alive and not ready.
        [[ "$page" != readyz || ${#engines[@]} -gt 0 ]] || continue
        curl --silent --show-error --fail --output "$root/answer" "http://$(address)/$page" || fail "/$page does not answer"
        echo "package: /$page answers: $(head -c 60 "$root/answer" | head -1)"
    done
}

# Kernels and an image for its jobs: the package has none, and takes them from this machine as a user would.
engines=()
mkdir -p -m 700 "$root/var/lib/llm-firecracker"
if said=$(target/release/llm-firecracker images export "$root/images.tar" bash 2>&1); then
    inside llm-firecracker images import /images.tar >"$root/import.log" 2>&1 || { cat "$root/import.log"; fail "it imports no images"; }
    rm "$root/images.tar"
    if grep -q '^ *uml ' "$root/import.log"; then engines+=(uml); fi
    if grep -q '^ *kernel ' "$root/import.log"; then engines+=(qemu); fi
else
    [[ -z "${LLM_FIRECRACKER_REQUIRE:-}" ]] || fail "there are no images for its jobs: $said"
    not_run=1
    echo "not run: jobs of the packaged service: $said"
fi

source scripts/test-unit.sh

inside dpkg --purge llm-firecracker >"$root/purge.log" 2>&1 || { cat "$root/purge.log"; fail "it does not purge"; }
left=$(files | comm -13 "$root/before" - | grep -v '^var/lib/dpkg' || true)
[[ -z "$left" ]] || fail "left behind: $left"
left=$(grep -il llm-firecracker "$root/var/lib/dpkg/status" "$root"/var/lib/dpkg/info/* || true)
[[ -z "$left" ]] || fail "dpkg still knows it: $left"
echo "package: stops and leaves nothing"
[[ -z "$not_run" ]] || exit 77
