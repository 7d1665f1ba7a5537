#!/usr/bin/env bash
# Builds the .deb into target/debian; the last line printed is its path.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo-deb >/dev/null; then
    echo "cargo-deb: installing (once, some minutes)"
    cargo install --quiet --locked --debug cargo-deb
fi
make --no-print-directory build
# What the package holds besides the binaries is made by the tool itself.
rm -rf target/package
mkdir -p target/package/man
target/release/llm-firecracker man target/package/man
gzip -9n target/package/man/*.1
for shell in bash fish zsh; do
    target/release/llm-firecracker completions $shell >"target/package/completion.$shell"
done
cargo deb --quiet -p cli --no-build --output target/debian/
ls -t "$PWD"/target/debian/*.deb | head -1
