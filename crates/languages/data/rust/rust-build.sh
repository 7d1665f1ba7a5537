# Compiles the program in $1, and the modules beside it, as `cargo new` would have it compiled: by the newest edition; by
# the one before where that refuses it, for programs were written under both. One unit, on one CPU. With the library
# that the compiler has loaded itself, which links in a third of the time, but where a program could tell the
# difference: an allocator of its own, symbols of its own, no library at all, or a look at its own stack.
tells='global_allocator|no_mangle|export_name|no_std|no_main|link_section|panic_handler|backtrace|BACKTRACE'
more='-Cprefer-dynamic -Cdebuginfo=0'
if [ -n "$RUST_BACKTRACE$RUST_LIB_BACKTRACE" ] || grep -rqE "$tells" --include='*.rs' .; then
    more='-Cdebuginfo=1'
fi
compile() { # compile EDITION PROGRAM
    /usr/bin/rustc --edition="$1" -Copt-level=0 -Ccodegen-units=1 $more -o main "$2"
}
said=/tmp/rust-build.said
compile 2024 "$1" 2> $said
ended=$?
# 1: it has errors. Anything else is no matter of editions.
if [ $ended = 1 ] && compile 2021 "$1" 2> $said.2021; then
    said=$said.2021 ended=0
fi
cat $said >&2
rm -f /tmp/rust-build.said*
exit $ended
