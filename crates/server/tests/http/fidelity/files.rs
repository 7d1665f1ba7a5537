//! Files beside the program: names are kept, neighbours are found, the program's own come first.

use super::{PLAIN, Row, compare};
use crate::lab;
use serde_json::json;

#[tokio::test]
async fn files_beside_the_program_are_found_under_their_names() {
    compare(&[
        Row {
            language: "node",
            what: "hello.mjs is an ES module",
            code: "import { basename } from 'node:path';\nimport { twice } from './lib/twice.mjs';\nconst name = await Promise.resolve(basename('/a/b/report.txt'));\nconsole.log(name, twice(21), import.meta.url);\n",
            more: || json!({"entry": "hello.mjs", "files": [{"path": "lib/twice.mjs", "content": "export const twice = (n) => 2 * n;\n"}]}),
            stdout: "report.txt 42 file:///work/hello.mjs\n",
            ..PLAIN
        },
        Row {
            language: "node",
            what: "require of a neighbour, arguments, its own name",
            code: "console.log(require('./util').f(20), require.main === module, __filename, process.argv.slice(1));",
            more: || json!({"entry": "src/app.js", "args": ["x y"], "files": [{"path": "src/util.js", "content": "exports.f = (n) => n + 1;\n"}]}),
            stdout: "21 true /work/src/app.js [ '/work/src/app.js', 'x y' ]\n",
            ..PLAIN
        },
        Row {
            language: "node",
            what: "package.json says module",
            code: "import fs from 'node:fs';\nconsole.log(typeof fs.readFileSync, typeof require);",
            more: || json!({"files": [{"path": "package.json", "content": "{\"type\": \"module\"}"}]}),
            stdout: "function undefined\n",
            ..PLAIN
        },
        Row {
            language: "python",
            what: "src/app.py finds its neighbour",
            code: "import sys, util\nprint(util.f(20), __file__, sys.argv, __name__)",
            more: || json!({"entry": "src/app.py", "args": ["x y"], "files": [{"path": "src/util.py", "content": "def f(n): return n + 1\n"}]}),
            stdout: "21 /work/src/app.py ['src/app.py', 'x y'] __main__\n",
            ..PLAIN
        },
        Row {
            language: "python",
            what: "a file of the job's wins over the library's",
            code: "from queue import TaskQueue\nq = TaskQueue()\nq.add('write')\nq.add('test')\nprint(q.next(), q.next())",
            more: || json!({"files": [{"path": "queue.py", "content": "class TaskQueue:\n    def __init__(self): self.items = []\n    def add(self, item): self.items.append(item)\n    def next(self): return self.items.pop(0)\n"}]}),
            stdout: "write test\n",
            ..PLAIN
        },
        Row {
            language: "python",
            what: "a package of the job's wins over the library's",
            code: "import json\nprint(json.dumps(1))",
            more: || json!({"files": [{"path": "json/__init__.py", "content": "def dumps(x): return 'mine'\n"}]}),
            stdout: "mine\n",
            ..PLAIN
        },
        Row {
            language: "bash",
            what: "source of a neighbour",
            code: ". ./lib/f.sh\nf \"$0\" \"${BASH_SOURCE[0]}\" \"$1\"",
            more: || json!({"entry": "run-me.sh", "args": ["x y"], "files": [{"path": "lib/f.sh", "content": "f() { printf '<%s>' \"$@\"; }\n"}]}),
            stdout: "<run-me.sh><run-me.sh><x y>",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "two files of a package",
            code: "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(Double(21))\n}\n",
            more: || json!({"files": [{"path": "double.go", "content": "package main\n\n// Double doubles.\nfunc Double(n int) int { return 2 * n }\n"}, {"path": "other_windows.go", "content": "package main\n\nfunc Double(n int) int { return 0 }\n"}, {"path": "double_test.go", "content": "package main\n\nnot go at all\n"}]}),
            stdout: "42\n",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "a module with a package of its own",
            code: "package main\n\nimport (\n\t\"fmt\"\n\n\t\"demo/util\"\n)\n\nfunc main() {\n\tfmt.Println(util.Double(21))\n}\n",
            more: || json!({"files": [{"path": "go.mod", "content": "module demo\n\ngo 1.19\n"}, {"path": "util/util.go", "content": "package util\n\nfunc Double(n int) int { return 2 * n }\n"}]}),
            stdout: "42\n",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "a command below its module",
            code: "package main\n\nimport (\n\t\"fmt\"\n\n\t\"demo/util\"\n)\n\nfunc main() {\n\tfmt.Println(util.Double(21))\n}\n",
            more: || json!({"entry": "cmd/app/main.go", "files": [{"path": "go.mod", "content": "module demo\n\ngo 1.19\n"}, {"path": "util/util.go", "content": "package util\n\nfunc Double(n int) int { return 2 * n }\n"}]}),
            stdout: "42\n",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "go:embed",
            code: "package main\n\nimport (\n\t_ \"embed\"\n\t\"fmt\"\n)\n\n//go:embed words.txt\nvar words string\n\nfunc main() {\n\tfmt.Print(words)\n}\n",
            more: || json!({"files": [{"path": "words.txt", "content": "embedded\n"}]}),
            stdout: "embedded\n",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "a program that is built only when it is named",
            code: "//go:build ignore\n\npackage main\n\nfunc main() {\n\tprintln()\n\tprint(\"\")\n}\n",
            more: || json!({"files": [{"path": "other.go", "content": "package other\n"}]}),
            stdout: "",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "what the program is made of",
            code: "package main\n\nimport (\n\t\"fmt\"\n\t\"runtime/debug\"\n)\n\nfunc main() {\n\tinfo, ok := debug.ReadBuildInfo()\n\tfmt.Println(ok, info.Path)\n}\n",
            stdout: "true command-line-arguments\n",
            ..PLAIN
        },
        Row {
            language: "rust",
            what: "mod files, in folders, too",
            code: "mod shapes;\nmod util;\n\nfn main() {\n    println!(\"{} {}\", util::double(21), shapes::square::area(3));\n}\n",
            more: || json!({"files": [{"path": "util.rs", "content": "pub fn double(n: i32) -> i32 {\n    2 * n\n}\n"}, {"path": "shapes/mod.rs", "content": "pub mod square;\n"}, {"path": "shapes/square.rs", "content": "pub fn area(n: i32) -> i32 {\n    n * n\n}\n"}, {"path": "data.txt", "content": "x"}]}),
            stdout: "42 9\n",
            ..PLAIN
        },
        Row {
            language: "rust",
            what: "an allocator of its own",
            code: "use std::alloc::{GlobalAlloc, Layout, System};\nuse std::sync::atomic::{AtomicUsize, Ordering::Relaxed};\nstruct Counting;\nstatic LIVE: AtomicUsize = AtomicUsize::new(0);\nunsafe impl GlobalAlloc for Counting {\n    unsafe fn alloc(&self, layout: Layout) -> *mut u8 { LIVE.fetch_add(layout.size(), Relaxed); System.alloc(layout) }\n    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) { LIVE.fetch_sub(layout.size(), Relaxed); System.dealloc(at, layout) }\n}\n#[global_allocator]\nstatic HEAP: Counting = Counting;\nfn main() {\n    let before = LIVE.load(Relaxed);\n    let kept: Vec<u64> = Vec::with_capacity(1000);\n    let held = LIVE.load(Relaxed) - before;\n    drop(kept);\n    println!(\"{held} {}\", LIVE.load(Relaxed) - before);\n}\n",
            stdout: "8000 0\n",
            ..PLAIN
        },
    ])
    .await;
}

#[tokio::test]
async fn tracebacks_name_the_clients_file() {
    if !lab::can_run("python") || !lab::can_run("node") || !lab::can_run("rust") {
        return;
    }
    let service = lab::start().await;
    for (language, entry, code, words) in [
        (
            "python",
            "src/app.py",
            "1 / 0",
            "File \"/work/src/app.py\", line 1",
        ),
        ("node", "app.cjs", "throw new Error('x')", "/work/app.cjs:1"),
        (
            "rust",
            "tool.rs",
            "fn main() { panic!(\"no\") }",
            "panicked at tool.rs:1:13:\nno",
        ),
        (
            "bash",
            "tool.sh",
            "no_such_thing",
            "tool.sh: line 1: no_such_thing",
        ),
    ] {
        let (_, result) = service
            .execute(&json!({"language": language, "entry": entry, "code": code}))
            .await;
        assert!(
            result["stderr"].as_str().unwrap().contains(words),
            "{language}: {result}"
        );
    }
    let backtrace = json!({"language": "rust", "env": {"RUST_BACKTRACE": "1"}, "code": "fn inner() {\n    panic!(\"no\")\n}\nfn main() {\n    inner()\n}\n"});
    let (_, result) = service.execute(&backtrace).await;
    let said = result["stderr"].as_str().unwrap();
    for words in ["main::inner", "main.rs:2:5", "main.rs:5:5"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    service.end().await;
}

#[tokio::test]
async fn files_that_cannot_lie_beside_each_other_cost_no_vm() {
    let service = lab::start().await;
    let file = |path: &str| json!({"path": path, "content": "x"});
    for (entry, files) in [
        (None, vec![file("data"), file("data/a.txt")]),
        (None, vec![file("data/a.txt"), file("data")]),
        (None, vec![file("main.py/x")]),
        (None, vec![file("main.py")]),
        (Some("a/b.py"), vec![file("a")]),
        (Some("../b.py"), vec![]),
        (Some(""), vec![]),
    ] {
        let body = json!({"language": "python", "code": "1", "entry": entry, "files": files});
        let (status, result) = service.execute(&body).await;
        assert_eq!(
            (status, &result["code"]),
            (400, &"files_invalid".into()),
            "{body} {result}"
        );
    }
    assert!(
        service
            .feed
            .events(99)
            .iter()
            .all(|event| { event.event_type != protocol::event::EventType::VmStart })
    );
    service.end().await;
}
