//! The programs of [`crate::cases`] in Go.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "go",
    extension: "go",
    hello: "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n",
    exit_3: "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(3) }\n",
    stderr: r#"package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("out")
	fmt.Fprintln(os.Stderr, "err")
}
"#,
    echo: r#"package main

import (
	"io"
	"os"
)

func main() { io.Copy(os.Stdout, os.Stdin) }
"#,
    arguments: r#"package main

import (
	"fmt"
	"os"
)

func main() {
	for _, arg := range os.Args[1:] {
		fmt.Printf("<%s>\n", arg)
	}
}
"#,
    exception: "package main\n\nfunc inner(list []int) int {\n\treturn list[len(list)+2]\n}\n\nfunc main() {\n\tinner(nil)\n}\n",
    exception_says: (
        2,
        &[
            "panic: runtime error: index out of range [2] with length 0",
            "main.go:4",
            "main.main()",
            "main.go:8",
        ],
    ),
    endless: r#"package main

import "fmt"

func main() {
	fmt.Println("begun")
	for {
	}
}
"#,
    hog: r#"package main

import "bytes"

var kept [][]byte

func main() {
	for {
		kept = append(kept, bytes.Repeat([]byte("x"), 16<<20))
	}
}
"#,
    broken: "package main\n\nfunc main() {\n\tx := 1\n\tundefined()\n}\n",
    broken_says: (
        "compile",
        1,
        &[
            "main.go:5:2: undefined: undefined",
            "main.go:4:2: declared and not used: x",
        ],
    ),
    bytes: r#"package main

import "os"

func main() { os.Stdout.Write([]byte("ü€😀\x00\xff\xfe\n")) }
"#,
    flood: r#"package main

import (
	"bytes"
	"os"
)

func main() {
	for i := 0; i < 50; i++ {
		os.Stdout.Write(bytes.Repeat([]byte("x"), 100000))
	}
}
"#,
    trespass: r#"package main

import (
	"fmt"
	"os"
)

func report(name string, err error) {
	if err != nil {
		fmt.Println(name, "refused")
	} else {
		fmt.Println(name, "allowed")
	}
}

func read(name, path string) {
	_, err := os.ReadFile(path)
	report(name, err)
}

func write(name, path string) { report(name, os.WriteFile(path, []byte("x"), 0o600)) }

func main() {
	read("passwd", "/etc/passwd")
	write("tmp", "/tmp/new")
	read("shadow", "/etc/shadow")
	write("usr", "/usr/new")
	write("etc", "/etc/new")
	write("root", "/new")
}
"#,
    network: r#"package main

import (
	"fmt"
	"net"
)

func main() {
	_, err := net.Dial("tcp", "8.8.8.8:53")
	fmt.Println("public", err)
	_, err = net.Dial("tcp", "169.254.169.254:80")
	fmt.Println("metadata", err)
	_, err = net.LookupHost("example.com")
	fmt.Println("lookup", err)
}
"#,
    bomb: r#"package main

import (
	"os"
	"os/exec"
	"time"
)

func main() {
	for {
		if exec.Command(os.Args[0]).Start() != nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
}
"#,
    daemon: r#"package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		time.Sleep(time.Hour)
	}
	daemon := exec.Command(os.Args[0], "daemon")
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := daemon.Start(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("started")
}
"#,
};
