#!/usr/bin/env bash
# E2B's own tests, of a checkout that you bring, against a service with VMs that this script starts on a free port of
# loopback and ends. Nothing of E2B's is kept here: no registry has their tests (docs/decisions/097), and CI runs our own of
# the same behaviours (tests/clients/e2b/behaviours.toml).
#   E2B=…/E2B CODE_INTERPRETER=…/code-interpreter scripts/e2b-own-tests.sh [python] [javascript] [code-python] [code-javascript]
# E2B names a checkout of github.com/e2b-dev/E2B, CODE_INTERPRETER one of github.com/e2b-dev/code-interpreter. The tool is
# LLM_FIRECRACKER_BIN (target/release/llm-firecracker when absent), its images those of LLM_FIRECRACKER_STATE_DIR
# (/var/lib/llm-firecracker when absent): agent, python-data. PYTHON_TESTS and JAVASCRIPT_TESTS name files below their tests/.
# Prints a count for each part, and what failed; what each said is in target/e2b-own. A part whose checkout or image is
# missing says 'not run:' and why, and the exit code is 77 then; 1 where a test failed.
set -uo pipefail
cd "$(dirname "$0")/.."

parts=("$@")
[[ ${#parts[@]} -gt 0 ]] || parts=(python javascript code-python code-javascript)
client=2.63.0 # the Python client that the tests are run with
code_client=2.11.5
# Those of JavaScript's that ask a service: the rest puts another in the place of E2B's own address.
javascript_tests="tests/sandbox/commands tests/sandbox/files tests/sandbox/git tests/sandbox/pty tests/api/list tests/api/info tests/api/kill
    tests/api/snapshot tests/sandbox/connect tests/sandbox/create tests/sandbox/fork tests/sandbox/host tests/sandbox/internetAccess
    tests/sandbox/kill tests/sandbox/lifecyclePayload tests/sandbox/metrics tests/sandbox/network.test tests/sandbox/secure tests/sandbox/snapshot
    tests/sandbox/timeout"
work=$PWD/target/e2b-own
tool=${LLM_FIRECRACKER_BIN:-$PWD/target/release/llm-firecracker}
images=${LLM_FIRECRACKER_STATE_DIR:-/var/lib/llm-firecracker}
code=0
service=
memory= # of each of the service's sandboxes, MiB

not_run() { # PART WHY
    printf '%-16s not run: %s\n' "$1" "$2"
    [[ $code == 1 ]] || code=77
}

stop() {
    [[ -z $service ]] || { kill -TERM "$service" && wait "$service"; } 2>/dev/null
    service=
}
trap stop EXIT

start() { # MIB: a service with sandboxes of that size, unless one was started
    [[ -n $service && $memory == "$1" ]] && return
    stop
    memory=$1
    [[ -x $tool ]] || { echo "there is no $tool: make build"; return 1; }
    local log=$work/service.log address=
    mkdir -p "$work/state" && ln -sfn "$(readlink -f "$images")/images" "$work/state/images" || return
    # As many sandboxes and requests as their suites have at one time.
    printf '%s\n' '[limits.defaults]' "memory_mib = $memory" '[server.key_defaults]' 'sessions = 16' \
        'requests_per_second = 500.0' 'burst = 5000' >"$work/config.toml"
    "$tool" --config "$work/config.toml" --state-dir "$work/state" serve --listen 127.0.0.1:0 2>"$log" &
    service=$!
    for _ in $(seq 600); do
        address=$(sed -n 's/.*listening on //p' "$log")
        [[ -z $address ]] || break
        kill -0 "$service" 2>/dev/null || { service=; tail -n 1 "$log"; return 1; }
        sleep 0.1
    done
    export E2B_API_URL=http://$address E2B_SANDBOX_URL=http://$address E2B_API_KEY
    E2B_API_KEY=e2b_$(printf '0%.0s' {1..40})
}

python_packages() { # FOLDER PACKAGE…
    [[ "$(cat "$1/installed" 2>/dev/null)" == "$*" ]] && return
    rm -rf "$1"
    python3 -m venv "$1" && "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}" &&
        echo "$*" >"$1/installed"
}

run_python() { # PART TESTS PACKAGE…: in the folder TESTS, those of PYTHON_TESTS
    python_packages "$work/$1-client" pytest==9.0.3 pytest-timeout==2.4.0 pytest-asyncio==1.3.0 pytest-dotenv==0.5.2 pytest-xdist==3.8.0 "${@:3}" || return
    # shellcheck disable=SC2086 # several files
    (cd "$2" && PYTHONPATH=$2 PYTHONDONTWRITEBYTECODE=1 "$work/$1-client/bin/python" -m pytest -q -rfEs -p no:cacheprovider \
        --timeout=150 $PYTHON_TESTS) >"$work/$1.log" 2>&1
    local ended=$?
    grep -E '^(FAILED|ERROR) ' "$work/$1.log" | cut -c 1-160
    printf '%-16s %s\n' "$1" "$(tail -n 1 "$work/$1.log")"
    return $ended
}

run_javascript() { # PART PACKAGE-FOLDER FILE…
    local folder=$work/$1
    rm -rf "$folder/src" "$folder/tests" && mkdir -p "$folder" && cp -r "$2/src" "$2/tests" "$2/tsconfig.json" "$folder/" || return
    # What the tests themselves need of what their authors' builds need.
    node -e '
        const { readFileSync, writeFileSync } = require("node:fs")
        const of = JSON.parse(readFileSync(process.argv[1]))
        const wanted = ["vitest", "msw", "dotenv", "error-stack-parser-es"]
        const dev = Object.fromEntries(Object.entries(of.devDependencies).filter(([name]) => wanted.includes(name)))
        const kept = { name: of.name, version: of.version, private: true, dependencies: of.dependencies,
            optionalDependencies: of.optionalDependencies, devDependencies: dev }
        writeFileSync(process.argv[2], JSON.stringify(kept))' "$2/package.json" "$folder/package.json" || return
    printf '%s\n' 'export default { test: { include: ["tests/**/*.test.ts"], exclude: ["tests/runtimes/**"], testTimeout: 60000, hookTimeout: 60000,' \
        'fileParallelism: false } }' >"$folder/vitest.config.mjs"
    (cd "$folder" && npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock &&
        NO_COLOR=1 npx vitest run --config vitest.config.mjs "${@:3}") >"$work/$1.log" 2>&1 </dev/null
    local ended=$?
    grep -E '^ *FAIL ' "$work/$1.log" | sort -u | cut -c 1-160
    printf '%-16s %s\n' "$1" "$(grep -E '^ *Tests ' "$work/$1.log" | tr -s ' ')"
    return $ended
}

part() { # NAME
    # shellcheck disable=SC2086 # several files
    case $1 in
        python)
            PYTHON_TESTS=${PYTHON_TESTS:-sync/sandbox_sync sync/api_sync shared/git} \
                run_python python "$E2B/packages/python-sdk/tests" e2b==$client ;;
        javascript)
            run_javascript javascript "$E2B/packages/js-sdk" ${JAVASCRIPT_TESTS:-$javascript_tests} ;;
        code-python)
            PYTHON_TESTS=${PYTHON_TESTS:-sync charts images} \
                run_python code-python "$CODE_INTERPRETER/python/tests" e2b-code-interpreter==$code_client e2b==$client ;;
        code-javascript)
            run_javascript code-javascript "$CODE_INTERPRETER/js" ${JAVASCRIPT_TESTS:-tests/} ;;
        *)
            echo "there is no part '$1'"
            return 1 ;;
    esac
}

mkdir -p "$work"
for one in "${parts[@]}"; do
    checkout=E2B image=agent mib=256
    # With room for a library of data science.
    [[ $one != code-* ]] || checkout=CODE_INTERPRETER image=python-data mib=1024
    if [[ ! -d ${!checkout:-} ]]; then
        not_run "$one" "$checkout names no checkout"
        continue
    fi
    if [[ ! -e $images/images/rootfs/$image.json ]]; then
        not_run "$one" "image $image is not built: llm-firecracker images build $image"
        continue
    fi
    printf -v "$checkout" '%s' "$(readlink -f "${!checkout}")"
    start $mib >"$work/why" || { not_run "$one" "$(cat "$work/why")"; continue; }
    part "$one" || code=1
done
exit "$code"
