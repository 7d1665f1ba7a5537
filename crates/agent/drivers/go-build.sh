# Builds main.go as `go build -o main main.go` does, by what `go build` would run: the compiler and
# the linker, with the standard library's files listed when the image was made. Looking them up is
# half of what `go build` costs. Whatever these two refuse, `go build` is asked, for its words and its
# exit code are the ones to be seen; so it is where the job has settings of its own for it.
lists=/usr/lib/go-build
tools=/usr/lib/go-1.19/pkg/tool/linux_amd64
object=/tmp/go-build.a

# The compiler lives too short for collecting its garbage to pay, until it holds so much.
export GOGC="${GOGC-off}" GOMEMLIMIT="${GOMEMLIMIT-128MiB}"

settings="$GOFLAGS:$GO111MODULE:$GOCACHE:$CGO_ENABLED:$GOENV$GOROOT$GOOS$GOARCH$GOAMD64$GOEXPERIMENT"
if [ "$settings" = "-buildvcs=false:off:$lists:0:" ] && [ -e $lists/importcfg.link ] && [ ! -e "$HOME/.config/go" ]; then
    $tools/compile -o $object -p main -complete -dwarf=false -D _/work \
        -importcfg $lists/importcfg -pack ./main.go > /dev/null 2>&1 &&
        $tools/link -o main -importcfg $lists/importcfg.link -buildmode=exe -s -w $object > /dev/null 2>&1
    built=$?
    rm -f $object
    [ $built = 0 ] && exit 0
fi
exec /usr/bin/go build -o main main.go
