#!/usr/bin/env bash
# Runs the end-to-end tests on a real KVM, inside an emulated machine.
#   lab/run.sh            the language table, clones, endings, attacks, clone against boot, pool against clone
#   lab/run.sh FILTER…    just the end-to-end tests whose names contain one of these; "selftest" is the attacks,
#                         "compare" clone against boot, "bench" pool against clone
#   LAB_ATTACKS="--kind exfiltration"    selftest with these words instead of all of it
#   LAB_LANGUAGES="bash"  fewer languages
#   LAB_ENGINES="qemu"    fewer engines
#   LAB_RUNS=3            jobs of each path that `bench` times; 5 by default
#   LLM_FIRECRACKER_CASE="fork bomb"    just this row of each language's table
#   LAB_FIRECRACKER="1.15.1=DIR 1.16.1=DIR main=DIR"    releases of Firecracker, each an engine of its own;
#                         a DIR holds `firecracker` and `jailer`. A name that is a number is checked
# FIRECRACKER_BIN and JAILER_BIN, when set, are one more, under the number that the program says. Prints what
# the tests print and, at the end, a line for each step of each engine, 'not run' for a release that the tool
# supports and that was not given; exits with their status.
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

mkdir -p "$state-lab"
share=$(mktemp -d "$state-lab/share-XXXXXX")
trap 'rm -rf "$share"' EXIT
mkdir "$share/bin"
cp "$release"/{llm-firecracker,llm-firecracker-agent,llm-firecracker-hostile-agent} "$share/bin/"
cp "$tests" "$share/e2e"
cp -r --reflink=auto --preserve=mode,timestamps "$state/images" "$share/images"
rm -rf "$share"/images/.build-*
cp "$here/tests.sh" "$share/test"

# Each release of Firecracker in a folder of its name.
mkdir "$share/firecracker"
given=()
give() { # give NAME FIRECRACKER JAILER; without a NAME, its number
    local is name
    is=$("$2" --version | sed -n '1s/^Firecracker v//p')
    name=${1:-$is}
    [[ -n $is ]] || { echo "lab: $2 does not say its release" >&2; exit 1; }
    [[ ! $name =~ ^[0-9] || $name == "$is" ]] || { echo "lab: $2 is of release $is, not $name" >&2; exit 1; }
    install -D -m 755 "$2" "$share/firecracker/$name/firecracker"
    install -D -m 755 "$3" "$share/firecracker/$name/jailer"
    given+=("$name")
}
for release_of in ${LAB_FIRECRACKER:-}; do
    give "${release_of%%=*}" "${release_of#*=}/firecracker" "${release_of#*=}/jailer"
done
if [[ -n ${FIRECRACKER_BIN:-} && -n ${JAILER_BIN:-} ]]; then give "" "$FIRECRACKER_BIN" "$JAILER_BIN"; fi
# What the tool supports, by its own tables: of the series that `setup` installs from, just that release.
pinned=$(sed -n 's/^        "\([0-9.]*\)",$/\1/p' crates/setup/src/release.rs | sort -u)
series=$(sed -n 's/^        Version(\([0-9]*\), \([0-9]*\)),$/\1.\2/p' crates/vmm/src/firecracker/version.rs)
[[ -n $pinned && -n $series ]] || { echo "lab: no table of Firecracker's releases where there was one" >&2; exit 1; }
missing=()
for wanted in $series; do
    if [[ $pinned == "$wanted".* ]]; then wanted=$pinned; fi
    printf '%s.\n' "${given[@]}" | grep -qF "$wanted." || missing+=("$wanted")
done
cat >"$share/environment" <<EOF
LAB_RELEASE=$release
LAB_FILTERS="$*"
LAB_LANGUAGES="${languages[*]}"
LAB_ENGINES="${LAB_ENGINES:-qemu firecracker}"
LAB_FIRECRACKER="${given[*]}"
LAB_FIRECRACKER_MISSING="${missing[*]}"
LAB_RUNS=${LAB_RUNS:-5}
LAB_ATTACKS="${LAB_ATTACKS:-}"
LLM_FIRECRACKER_CASE="${LLM_FIRECRACKER_CASE:-}"
EOF
"$here/boot.sh" "$share"
