# Builds the package of the program in $1 into ./main as `go build` does: by `go build`, or, for a program of one
# file, by what that would run: the compiler and the linker, with the standard library's files listed when the
# image was made. Looking them up is half of what `go build` costs. Whatever these two refuse, `go build` is asked,
# for its words and its exit code are the ones to be seen; so it is where the job has settings of its own for it.
lists=/usr/lib/go-build
tools=/usr/lib/go-1.27/pkg/tool/linux_amd64
object=/tmp/go-build.a
work=$PWD

case $1 in
*/*) folder=./${1%/*} ;;
*) folder=. ;;
esac

# Go takes no other names.
case $1 in
*.go) ;;
*) cp -- "$1" "$folder/main.go" && set -- "$folder/main.go" ;;
esac

# The compiler lives too short for collecting its garbage to pay, until it holds so much.
export GOGC="${GOGC-off}" GOMEMLIMIT="${GOMEMLIMIT-128MiB}"

# A module of the job's own: what it imports is in it, for there is no network.
at=$folder
while [ ! -e "$at/go.mod" ] && [ "$at" != . ]; do at=${at%/*}; done
if [ -e "$at/go.mod" ]; then
    export GOPROXY="${GOPROXY-off}" GOSUMDB="${GOSUMDB-off}"
    # An index of the library's folders would be written into the cache, which is the image's.
    cd "$folder" && GODEBUG="goindex=0,$GODEBUG" exec /usr/bin/go build -o "$work/main" .
fi

# Files of the same package, but for tests.
program=$1
set --
for file in "$folder"/*.go; do
    case $file in
    *_test.go) ;;
    *) set -- "$@" "$file" ;;
    esac
done
# A file that is built only when it is named is all of its program. Others are a package, of a module that only the
# builder sees: which of them belong to it is go's to say, by their names and first lines.
if [ $# -gt 1 ] && ! grep -qE '^//( *\+build|go:build) +ignore' "$program"; then
    printf 'module program\ngo 1.27\n' > /tmp/go-build.mod
    printf '{"Replace": {"go.mod": "/tmp/go-build.mod"}}' > /tmp/go-build.json
    cd "$folder" && exec /usr/bin/go build -overlay /tmp/go-build.json -o "$work/main" .
fi

settings="$GOFLAGS:$GO111MODULE:$GOCACHE:$CGO_ENABLED:$GOENV$GOROOT$GOOS$GOARCH$GOAMD64$GOEXPERIMENT"
if [ "$settings" = "-buildvcs=false::$lists:0:" ] && [ -e $lists/importcfg.link ] &&
    [ ! -e "$HOME/.config/go" ] && ! grep -q '"debug/\|"runtime/debug"' "$program"; then
    $tools/compile -o $object -p main -complete -dwarf=false -D _/work \
        -importcfg $lists/importcfg -pack "./$program" > /dev/null 2>&1 &&
        $tools/link -o main -importcfg $lists/importcfg.link -buildmode=exe -s -w $object > /dev/null 2>&1
    built=$?
    rm -f $object
    [ $built = 0 ] && exit 0
fi
exec /usr/bin/go build -o main "$program"
