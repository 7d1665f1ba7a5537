#!/usr/bin/env bash
# Clients that the service's tests use, from PyPI, in a virtual environment of their own:
#   schemathesis   asks everything that /openapi.json allows, and checks each answer against it
#   ultra-piston   a client of Piston's API
# Safe to run again; prints where they are.
set -euo pipefail
cd "$(dirname "$0")/.."

clients=(schemathesis==4.32.5 ultra-piston==1.0.1)
folder=target/test-clients
if [[ "$(cat "$folder/installed" 2>/dev/null)" != "${clients[*]}" ]]; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "${clients[@]}"
    echo "${clients[*]}" >"$folder/installed"
fi
echo "test clients: ${clients[*]} in $folder"
