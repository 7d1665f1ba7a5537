#!/usr/bin/env bash
# Licences, duplicates, sources and, where its database can be had, security advisories of all dependencies.
set -euo pipefail
if ! command -v cargo-deny >/dev/null; then
    echo "cargo-deny: installing (once, two minutes)"
    cargo install --quiet --locked --debug cargo-deny
fi
cargo deny --log-level error check bans licenses sources
# The advisory database is a git repository elsewhere; a machine without a way to it still checks the rest.
if cargo deny --log-level error fetch db 2>/dev/null; then
    cargo deny --log-level error check advisories
else
    echo "cargo-deny advisories: not run, the advisory database cannot be reached from here"
fi
