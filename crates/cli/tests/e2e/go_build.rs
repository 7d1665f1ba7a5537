//! Go without `go build`: what its compiler and linker make by themselves is what `go build` makes of the
//! same program, and what they refuse has `go build`'s words. A variable of its own sends a job to it.

use crate::lab;
use crate::tool::Tool;

/// `go build` from caches that are cold, on a loaded host.
const COMPILE: &str = "120";
const SETTING: &str = "GOAMD64=v1";

/// Name, program, and a part of what a right build of it prints or says.
const PROGRAMS: &[(&str, &str, &str)] = &[
    (
        "its own build, its place, its trace",
        r#"package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

func main() {
	_, file, line, _ := runtime.Caller(0)
	info, ok := debug.ReadBuildInfo()
	left, _ := os.ReadDir("/tmp")
	fmt.Println(file, line, runtime.GOROOT(), runtime.Version(), info, ok, len(left), os.Getenv("GOGC"))
	var none map[string]int
	none["x"] = 1
}
"#,
        "/work/main.go:16",
    ),
    (
        "packages that need cgo elsewhere",
        r#"package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os/user"
)

func main() { fmt.Println(http.StatusTeapot, tls.VersionTLS13, user.UnknownUserIdError(3)) }
"#,
        "418 772 user: unknown userid 3",
    ),
    (
        "type parameters",
        "package main\n\nfunc sum[N int | float64](ns ...N) (s N) {\n\tfor _, n := range ns {\n\t\ts += n\n\t}\n\treturn\n}\n\nfunc main() { println(sum(1, 2, 3)) }\n",
        "6",
    ),
    (
        "a file that is left out of packages",
        "//go:build ignore\n\npackage main\n\nfunc main() { println(\"built\") }\n",
        "built",
    ),
    (
        "a type error",
        "package main\n\nfunc main() {\n\tvar n int = \"text\"\n}\n",
        "./main.go:4:14: cannot use",
    ),
    (
        "a syntax error",
        "package main\n\nfunc main( {\n}\n",
        "main.go:3:",
    ),
    (
        "an unknown package",
        "package main\n\nimport \"no/such/package\"\n\nfunc main() { package.X() }\n",
        "main.go:3:8",
    ),
    (
        "an internal package",
        "package main\n\nimport \"internal/abi\"\n\nfunc main() { println(abi.IntArgRegs) }\n",
        "use of internal package internal/abi not allowed",
    ),
    (
        "an embedded file",
        "package main\n\nimport _ \"embed\"\n\n//go:embed main.go\nvar text string\n\nfunc main() { println(text[:12]) }\n",
        "package main",
    ),
    ("no main", "package main\n", "function main is undeclared"),
];

#[test]
fn what_is_built_without_go_build_is_what_go_build_builds() {
    if !lab::lab().has("go") {
        return;
    }
    for (name, program, part) in PROGRAMS {
        let run = |flags: &[&str]| {
            let done = Tool::run("go", program)
                .args(["--json", "--compile-timeout", COMPILE])
                .args(flags)
                .go();
            let mut result = done.json();
            let [out, err, exit] = ["stdout", "stderr", "exit_code"].map(|key| result[key].take());
            (out, err, exit, result["timings"]["compile"].as_f64())
        };
        let (direct, by_go) = (run(&[]), run(&["--env", SETTING]));
        println!(
            "{name}: compiled in {:?} s, by go build in {:?} s",
            direct.3, by_go.3
        );
        assert_eq!(
            (&direct.0, &direct.1, &direct.2),
            (&by_go.0, &by_go.1, &by_go.2),
            "{name}"
        );
        let text = format!("{}{}", direct.0, direct.1);
        assert!(text.contains(part), "{name}: {direct:?}");
    }
}
