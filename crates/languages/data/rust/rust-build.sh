# Compiles the program in $1, and the modules beside it, as `rustc` does. One unit, on one CPU. With the library
# that the compiler has loaded itself, which links in a third of the time, but where a program could tell the
# difference: an allocator of its own, symbols of its own, no library at all, or a look at its own stack.
tells='global_allocator|no_mangle|export_name|no_std|no_main|link_section|panic_handler|backtrace|BACKTRACE'
more='-Cprefer-dynamic -Cdebuginfo=0'
if [ -n "$RUST_BACKTRACE$RUST_LIB_BACKTRACE" ] || grep -rqE "$tells" --include='*.rs' .; then
    more='-Cdebuginfo=1'
fi
exec /usr/bin/rustc --edition=2021 -Copt-level=0 -Ccodegen-units=1 $more -o main "$1"
