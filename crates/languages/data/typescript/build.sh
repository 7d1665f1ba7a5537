# Takes the types out of the program in $1 and of what it imports beside it, into one file. As a CommonJS module, in
# which `require` and `__dirname` work; where that cannot be, for `await` stands at its top, as an ES module.
bundle() { # bundle FORMAT FILE
    /usr/bin/esbuild "./$1" --bundle --platform=node --target=node24 --packages=external --sourcemap=inline \
        --log-level=warning --color=false --format="$2" --outfile="$3"
}
if said=$(bundle "$1" cjs .program.cjs 2>&1); then
    [ -z "$said" ] || printf '%s\n' "$said" >&2
    exit 0
fi
bundle "$1" esm .program.mjs && echo "import('./.program.mjs')" > .program.cjs
