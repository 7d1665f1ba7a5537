#!/usr/bin/env bash
# Installs what llm-firecracker needs on Debian 12 or newer. Safe to run again: it installs only what is missing.
#   scripts/setup-debian.sh            what building and running needs
#   scripts/setup-debian.sh --tests    also what the tests compare with and measure against
set -euo pipefail

run_packages=(bubblewrap erofs-utils mmdebstrap xz-utils gcc libc6-dev make pkg-config)
# What mmdebstrap makes its user namespace with, where it is not root.
run_packages+=(uidmap)
# Only where `images build` compiles the User-Mode Linux kernel.
run_packages+=(bc bison flex patch)
test_packages=(python3-venv ca-certificates curl iproute2 chromium prometheus docker.io runc runsc tmux zsh fish)
# Images of OCI are made by them, and their trees compared.
test_packages+=(buildah docker-registry skopeo umoci)
[[ "${1:-}" == "--tests" ]] || test_packages=()

sudo=()
if [[ $EUID -ne 0 ]]; then sudo=(sudo); fi

missing=()
for package in "${run_packages[@]}" "${test_packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
# QEMU 8.2 is the first that maps a snapshot's memory copy-on-write from a file it cannot write
# (memory-backend-file,readonly=on,rom=off); Debian 12 has it in its backports.
qemu_ok() { dpkg --compare-versions "$(dpkg-query -W -f='${Version}' qemu-system-x86 2>/dev/null || echo 0)" ge 1:8.2; }

if [[ ${#missing[@]} -eq 0 ]] && qemu_ok; then
    echo "setup: everything is installed"
    exit 0
fi
echo "setup: installing ${missing[*]} $(qemu_ok || echo qemu-system-x86)"
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
if [[ ${#missing[@]} -gt 0 ]]; then
    for service in prometheus docker-registry; do
        # They are there for promtool, and for registries that tests start: their services are not to start.
        if [[ " ${missing[*]} " == *" $service "* ]]; then
            "${sudo[@]}" ln -sf /dev/null "/etc/systemd/system/$service.service"
        fi
    done
    "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
if ! qemu_ok; then
    candidate=$(apt-cache policy qemu-system-x86 | awk '/Candidate:/ {print $2}')
    if dpkg --compare-versions "$candidate" ge 1:8.2; then
        "${sudo[@]}" apt-get install -y -qq --no-install-recommends qemu-system-x86
    else
        # The backports suite, from the mirror this machine already uses for its main suite.
        codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
        mirror=$(apt-get indextargets --format '$(SITE) $(SUITE) $(CODENAME)' 'Created-By: Packages' \
            | awk -v c="$codename" '$3 == c {print $1; exit}')
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $codename-backports main" \
            | "${sudo[@]}" tee /etc/apt/sources.list.d/llm-firecracker-backports.list >/dev/null
        "${sudo[@]}" apt-get update -qq
        "${sudo[@]}" apt-get install -y -qq --no-install-recommends -t "$codename-backports" qemu-system-x86
    fi
fi
echo "setup: done"
