#!/usr/bin/env bash
# Builds the .deb into target/debian; the last line printed is its path.
#   PACKAGE_OF_WHAT_IS_BUILT=yes    of the binaries that are there, as the tests do that have just built them
set -euo pipefail
cd "$(dirname "$0")/.."

# Of our own and at one version, so that the same tree gives the same package everywhere.
version=3.8.0
tools=$PWD/target/tools
if [[ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" != *"$version"* ]]; then
    echo "cargo-deb: installing $version (once, a minute)"
    cargo install --quiet --locked --debug --root "$tools" "cargo-deb@$version"
fi
[[ -n ${PACKAGE_OF_WHAT_IS_BUILT:-} ]] || make --no-print-directory build
# What the package holds besides the binaries is made by the tool itself.
rm -rf target/package target/debian
mkdir -p target/package/man
target/release/llm-firecracker man target/package/man
gzip -9n target/package/man/*.1
for shell in bash fish zsh; do
    target/release/llm-firecracker completions $shell >"target/package/completion.$shell"
done
"$tools/bin/cargo-deb" --quiet -p cli --no-build --output target/debian/
ls "$PWD"/target/debian/*.deb
