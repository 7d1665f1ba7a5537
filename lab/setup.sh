#!/usr/bin/env bash
# Installs what the lab's own machine is made with, besides what scripts/setup-debian.sh installs.
set -euo pipefail
packages=(e2fsprogs erofs-utils mmdebstrap qemu-system-x86)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0
echo "lab: installing ${missing[*]}" >&2
sudo=()
if [[ $EUID -ne 0 ]]; then sudo=(sudo); fi
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
