#!/usr/bin/env bash
# Runs the end-to-end tests on a real KVM, inside an emulated machine.
#   lab/run.sh            the language table, clones, endings, attacks, clone against boot
#   lab/run.sh FILTER…    just the end-to-end tests whose names contain one of these; "selftest" is the attacks
#   LAB_ATTACKS="--kind exfiltration"    selftest with these words instead of all of it
#   LAB_LANGUAGES="bash"  fewer languages
#   LAB_ENGINES="qemu"    fewer engines
#   LLM_FIRECRACKER_CASE="fork bomb"    just this row of each language's table
# FIRECRACKER_BIN and JAILER_BIN, when set, are tested too. Prints what the tests print and a line for
# each engine at the end; exits with their status.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
state=${LLM_FIRECRACKER_STATE_DIR:-/var/lib/llm-firecracker}
release=$PWD/${CARGO_TARGET_DIR:-target}/release
read -ra languages <<<"${LAB_LANGUAGES:-python node go rust bash}"

"$here/setup.sh"
# The test binary knows the paths that it was built for; the lab has the same ones.
tests=$(cargo test --release --workspace --test e2e --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p')
[[ -x $tests ]] || { echo "lab: the end-to-end tests do not build: cargo test --release --workspace --test e2e --no-run" >&2; exit 1; }
"$release/llm-firecracker" images build --kernel virtual "${languages[@]}" >/dev/null

mkdir -p "$state/lab"
share=$(mktemp -d "$state/lab/share-XXXXXX")
trap 'rm -rf "$share"' EXIT
mkdir "$share/bin"
cp "$release"/{llm-firecracker,llm-firecracker-agent,llm-firecracker-hostile-agent} "$share/bin/"
cp "$tests" "$share/e2e"
cp -r --reflink=auto --preserve=mode,timestamps "$state/images" "$share/images"
rm -rf "$share"/images/.build-*
cp "$here/tests.sh" "$share/test"
if [[ -n ${FIRECRACKER_BIN:-} && -n ${JAILER_BIN:-} ]]; then
    install -m 755 "$FIRECRACKER_BIN" "$share/bin/firecracker"
    install -m 755 "$JAILER_BIN" "$share/bin/jailer"
fi
cat >"$share/environment" <<EOF
LAB_RELEASE=$release
LAB_FILTERS="$*"
LAB_LANGUAGES="${languages[*]}"
LAB_ENGINES="${LAB_ENGINES:-qemu firecracker}"
LAB_ATTACKS="${LAB_ATTACKS:-}"
LLM_FIRECRACKER_CASE="${LLM_FIRECRACKER_CASE:-}"
EOF
"$here/boot.sh" "$share"
