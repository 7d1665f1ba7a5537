#!/usr/bin/env bash
# Tests of the Python SDK (sdk/python) and of its integrations with each framework's own suite, against a service with VMs
# that this script starts on a free port of loopback and ends.
#   scripts/test-sdk-python.sh            everything
#   scripts/test-sdk-python.sh --quick    without the frameworks, for CI
#   scripts/test-sdk-python.sh unit mypy  these parts alone
# The tool is LLM_FIRECRACKER_BIN (target/release/llm-firecracker when absent), its images those of LLM_FIRECRACKER_STATE_DIR
# (/var/lib/llm-firecracker when absent): python, bash, node, agent, python-data. PYTHON is CPython 3.11 or newer (python3).
# A part that cannot run says 'not run:' and why, and so does one in which a test was skipped; then the exit code is 77 (1 where
# another part failed besides).
set -uo pipefail
cd "$(dirname "$0")/.."

# Where a part runs, and what is installed there besides the package: pinned, for a newer release may ask for something else.
declare -A environments=(
    [sdk]="mypy==2.4.1 pytest==9.2.0 httpx2==2.16.2 anyio==4.16.0"
    [inspect]="inspect_ai==0.3.285 mypy==2.4.1 pytest==9.2.0"
    [deepagents]="deepagents==0.7.32 langchain-tests==1.1.9 mypy==2.4.1"
    [deepagents-0.6]="deepagents==0.6.12 langchain-tests==1.1.9"
    [pydantic-ai]="pydantic-ai-slim==2.68.0 mypy==2.4.1 pytest==9.2.0"
    [smolagents]="smolagents==1.26.0 mypy==2.4.1 pytest==9.2.0"
)
uv_version=0.13.9
quick=(unit package mypy models service examples local)
frameworks=(inspect deepagents deepagents-0.6 pydantic-ai smolagents)
images=(python bash node agent python-data)

root=$PWD
work=$root/target/sdk-python
tool=${LLM_FIRECRACKER_BIN:-$root/target/release/llm-firecracker}
images_of=${LLM_FIRECRACKER_STATE_DIR:-/var/lib/llm-firecracker}
python=${PYTHON:-python3}
code=0
service=

not_run() { # PART WHY
    printf '%-15s not run: %s\n' "$1" "$2"
    [[ $code == 1 ]] || code=77
}

stop() {
    [[ -z $service ]] || { kill -TERM "$service" && wait "$service"; } 2>/dev/null
}
trap stop EXIT

environment() { # NAME: makes it, unless it is there as it is wanted
    local folder=$work/$1 wanted="$python ${environments[$1]} $(sha256sum <sdk/python/pyproject.toml)"
    [[ "$(cat "$folder/installed" 2>/dev/null)" == "$wanted" ]] && return
    rm -rf "$folder"
    [[ -x $work/uv/bin/uv ]] ||
        { "$python" -m venv "$work/uv" && "$work/uv/bin/pip" install --quiet --disable-pip-version-check uv==$uv_version; } || return
    "$work/uv/bin/uv" venv --quiet --python "$python" "$folder" || return
    # shellcheck disable=SC2086 # several packages
    "$work/uv/bin/uv" pip install --quiet --python "$folder" ${environments[$1]} --editable sdk/python || return
    echo "$wanted" >"$folder/installed"
}

state() { # FOLDER: a state folder of its own with the images of the other one; two services share none
    mkdir -p "$1" && ln -sfn "$(readlink -f "$images_of")/images" "$1/images"
}

start() { # a service, unless one was started
    [[ -n $service ]] && return
    [[ -x $tool ]] || { echo "there is no $tool: make build"; return 1; }
    local image log=$work/service.log
    for image in "${images[@]}"; do
        [[ -e $images_of/images/rootfs/$image.json ]] || { echo "image $image is not built: llm-firecracker images build $image"; return 1; }
    done
    state "$work/state" && state "$work/state-local" || return
    "$tool" --state-dir "$work/state" serve --listen 127.0.0.1:0 2>"$log" &
    service=$!
    for _ in $(seq 600); do
        LLM_FIRECRACKER_URL=http://$(sed -n 's/.*listening on //p' "$log")
        [[ $LLM_FIRECRACKER_URL == http:// ]] || break
        kill -0 "$service" 2>/dev/null || { service=; tail -n 1 "$log"; return 1; }
        sleep 0.1
    done
    export LLM_FIRECRACKER_URL LLM_FIRECRACKER_BIN=$tool LLM_FIRECRACKER_STATE_DIR=$work/state-local
}

tests() { # PART ENVIRONMENT ARGUMENT…: pytest, and its counts
    local part=$1 log=$work/$1.log
    (cd sdk/python && "$work/$2/bin/python" -m pytest "${@:3}") >"$log" 2>&1
    local ended=$? counts
    counts=$(grep -oE '[0-9]+ (passed|failed|errors?|skipped|xfailed|xpassed|deselected)' "$log" | tail -n 6 | paste -sd, | sed 's/,/, /g')
    report "$part" $ended "${counts:-no counts}" "$log"
    [[ $counts != *skipped* ]] || not_run "$part" "a test was skipped; see $log"
}

report() { # PART CODE COUNTS LOG
    printf '%-15s %-7s %s\n' "$1" "$([[ $2 == 0 ]] && echo ok || echo FAILED)" "$3"
    [[ $2 == 0 ]] || { code=1; tail -n 60 "$4"; }
}

types() { # PART ENVIRONMENT FILE…
    (cd sdk/python && "$work/$2/bin/mypy" --strict "${@:3}") >"$work/$1.log" 2>&1
    report "$1" $? "$(tail -n 1 "$work/$1.log")" "$work/$1.log"
}

package() { # the wheel: what is in it, and that it is enough
    local out=$work/wheel
    rm -rf "$out" && "$work/uv/bin/uv" build --quiet --wheel --out-dir "$out" sdk/python &&
        "$work/uv/bin/uv" venv --quiet --python "$python" "$out/venv" &&
        "$work/uv/bin/uv" pip install --quiet --python "$out/venv" "$out"/*.whl &&
        "$out/venv/bin/python" - "$out"/*.whl <<'PYTHON'
import sys, zipfile
import llm_firecracker
names = zipfile.ZipFile(sys.argv[1]).namelist()
assert "llm_firecracker/py.typed" in names and not [name for name in names if "test" in name], names
print(f"{len(names)} files, version {llm_firecracker.__version__}")
PYTHON
}

framework() { # PART MODULE: its own suite, then the types
    tests "$1" "$1" "${@:3}" "tests/integrations/test_$2.py"
    [[ " ${environments[$1]}" != *" mypy"* ]] || types "$1-mypy" "$1" --exclude nothing \
        "src/llm_firecracker/integrations/$2.py" src/llm_firecracker/integrations/_programs.py
}

part() { # NAME
    local name=$1 environment=sdk why
    [[ -z ${environments[$name]:-} ]] || environment=$name
    why=$(environment "$environment" 2>&1) || { not_run "$name" "$environment cannot be installed: $why"; return; }
    case $name in unit | package | mypy) ;; *) start >"$work/why" || { not_run "$name" "$(cat "$work/why")"; return; } ;; esac
    case $name in
        unit) tests unit sdk -W error tests/test_unit.py ;;
        package) package >"$work/package.log" 2>&1; report package $? "$(tail -n 1 "$work/package.log")" "$work/package.log" ;;
        mypy) types mypy sdk ;;
        models) tests models sdk tests/test_openapi.py ;;
        service) tests service sdk -W error tests/test_service.py tests/test_async.py tests/test_native.py ;;
        examples) tests examples sdk tests/test_examples.py ;;
        local) tests local sdk -W error tests/test_local.py ;;
        inspect) framework inspect inspect ;;
        deepagents | deepagents-0.6) framework "$name" deepagents -o asyncio_mode=auto ;;
        pydantic-ai) framework pydantic-ai pydantic_ai ;;
        smolagents) framework smolagents smolagents ;;
        *) not_run "$name" "there is no such part" ;;
    esac
}

case ${1:-} in
    "") parts=("${quick[@]}" "${frameworks[@]}") ;;
    --quick) parts=("${quick[@]}") ;;
    *) parts=("$@") ;;
esac
mkdir -p "$work"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { not_run all "$python is no CPython 3.11 or newer"; exit 77; }
for name in "${parts[@]}"; do part "$name"; done
exit $code
