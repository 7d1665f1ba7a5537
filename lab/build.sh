#!/usr/bin/env bash
# Makes the lab's machine from Debian packages: kernel, initramfs, root file system.
#   lab/build.sh STATE    prints the folder that holds vmlinuz, initrd and root.erofs: one of STATE-lab, for what is
#                         made in STATE itself is held against attacks that are tried meanwhile
# Made once; the folder's name is the digest of everything it is made from.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
state=$1

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
# The binaries under test are linked against this machine's glibc, so the lab runs the same release.
[[ -e /usr/share/keyrings/debian-archive-keyring.gpg && -n $codename ]] \
    || { echo "lab: needs a Debian machine (the lab runs the same release)" >&2; exit 1; }

# What the project needs on a host, and what its tests look at a host with.
packages=(bubblewrap busybox-static cpio e2fsprogs erofs-utils iproute2 jq kmod libc-bin procps python3-minimal util-linux)

digest=$({ cat "$here/build.sh" "$here"/guest/*; echo "$codename"; } | sha256sum | cut -c1-16)
out=$state-lab/$digest
[[ -e $out/root.erofs ]] && { echo "$out"; exit 0; }

# The mirrors that this machine already uses.
sources=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' | sort -u \
    | awk -v c="$codename" 'index($2, c) == 1 {print "deb", $1, $2, "main"}')
grep -q " $codename-backports " <<<"$sources" && backports="-t $codename-backports" || backports=""

mkdir -p "$state-lab"
draft=$(mktemp -d "$state-lab/draft-XXXXXX")
trap 'rm -rf "$draft"' EXIT
echo "lab: building the machine ($codename), once" >&2
include=$(IFS=,; echo "${packages[*]}")
mmdebstrap --quiet --variant=minbase --include="$include" \
    --aptopt='APT::Install-Recommends "false"' \
    --customize-hook="copy-in $here/guest /" \
    --customize-hook="chroot \"\$1\" /guest/install $backports" \
    --customize-hook='chroot "$1" /guest/pack-initramfs' \
    --customize-hook="copy-out /boot $draft" \
    --customize-hook='cd "$1" && rm -rf var/lib/apt/lists/* var/cache/apt/* boot/* usr/share/doc usr/share/man usr/share/locale' \
    "$codename" "$draft/root.tar" - <<<"$sources" >&2
mv "$draft/boot/vmlinuz" "$draft/vmlinuz"
mv "$draft/boot/initrd" "$draft/initrd"
mkdir "$draft/root"
tar -C "$draft/root" --exclude='./dev/*' -xpf "$draft/root.tar"
mkfs.erofs --quiet -T0 "$draft/root.erofs" "$draft/root" >&2
rm -rf "$draft/root" "$draft/root.tar" "$draft/boot"
mv -T "$draft" "$out"
trap - EXIT
echo "$out"
