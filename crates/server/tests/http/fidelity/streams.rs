//! Standard streams are files; what was printed before an end is there.

use super::{PLAIN, Row, compare};
use serde_json::json;

#[tokio::test]
async fn standard_streams_are_files() {
    compare(&[
        Row {
            language: "bash",
            what: "/dev/stdout and /dev/stderr are written to by name",
            code: "echo 'to out' > /dev/stdout\necho 'to err' > /dev/stderr\nprintf 'a\\nb\\n' | tee /dev/stderr | wc -l\necho \"rc=$?\"\necho more >> /dev/fd/1; echo last > /proc/self/fd/1",
            stdout: "to out\n2\nrc=0\nmore\nlast\n",
            ..PLAIN
        },
        Row {
            language: "bash",
            what: "/dev/stdin by name",
            code: "cat /dev/stdin; cat < /dev/fd/0; wc -l < <(echo x)",
            more: || json!({"stdin": "3 4\n"}),
            stdout: "3 4\n1\n",
            ..PLAIN
        },
        Row {
            language: "bash",
            what: "no standard input at all",
            code: "cat /dev/stdin | wc -c",
            stdout: "0\n",
            ..PLAIN
        },
        Row {
            language: "node",
            what: "fs.readFileSync('/dev/stdin')",
            code: "const t = require('fs').readFileSync('/dev/stdin', 'utf8'); console.log(t.trim().split(/\\s+/).map(Number).reduce((a, b) => a + b, 0)); require('fs').writeFileSync('/dev/stdout', 'by name\\n')",
            more: || json!({"stdin": "3 4\n5\n"}),
            stdout: "12\nby name\n",
            ..PLAIN
        },
        Row {
            language: "node",
            what: "the same without standard input",
            code: "console.log(JSON.stringify(require('fs').readFileSync('/dev/stdin', 'utf8')))",
            stdout: "\"\"\n",
            ..PLAIN
        },
        Row {
            language: "python",
            what: "open('/dev/stdin'), open('/dev/stdout')",
            code: "print(open('/dev/stdin').read().split(), flush=True)\nopen('/dev/stdout', 'w').write('by name\\n')",
            more: || json!({"stdin": "3 4\n5\n"}),
            stdout: "['3', '4', '5']\nby name\n",
            ..PLAIN
        },
        Row {
            language: "go",
            what: "os.ReadFile(\"/dev/stdin\")",
            code: "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() {\n\tb, err := os.ReadFile(\"/dev/stdin\")\n\tfmt.Println(string(b), err)\n\tfmt.Println(os.WriteFile(\"/dev/stdout\", []byte(\"by name\\n\"), 0o644))\n}\n",
            more: || json!({"stdin": "3 4"}),
            stdout: "3 4 <nil>\nby name\n<nil>\n",
            ..PLAIN
        },
        Row {
            language: "rust",
            what: "fs::read_to_string(\"/dev/stdin\")",
            code: "use std::fs;\nfn main() {\n    println!(\"{}\", fs::read_to_string(\"/dev/stdin\").unwrap());\n    fs::write(\"/dev/stdout\", \"by name\\n\").unwrap();\n}\n",
            more: || json!({"stdin": "3 4"}),
            stdout: "3 4\nby name\n",
            ..PLAIN
        },
    ])
    .await;
}

const PRINTED: &str = "step 1 done\nstep 2 done\n";

#[tokio::test]
async fn what_was_printed_before_an_end_is_there() {
    let short = || json!({"timeout": 2});
    let timed_out = Row {
        more: short,
        status: "timeout",
        stdout: PRINTED,
        exit_code: None,
        what: "time is up",
        ..PLAIN
    };
    compare(&[
        Row {
            language: "python",
            code: "import time\n\nprint('step 1 done')\nprint('step 2 done')\ntime.sleep(60)\n",
            ..timed_out
        },
        Row {
            language: "python",
            what: "time is up, in a new interpreter",
            code: "import time\n\nprint('step 1 done')\nprint('step 2 done')\ntime.sleep(60)\n",
            more: || json!({"timeout": 2, "fresh_interpreter": true}),
            ..timed_out
        },
        Row {
            language: "python",
            what: "killed",
            code: "import os, signal\nprint('step 1 done')\nprint('step 2 done')\nos.kill(os.getpid(), signal.SIGKILL)\n",
            more: || json!({}),
            status: "error",
            ..timed_out
        },
        Row {
            language: "python",
            what: "ended by os._exit",
            code: "import os\nprint('step 1 done')\nprint('step 2 done')\nos._exit(3)\n",
            more: || json!({}),
            status: "error",
            exit_code: Some(3),
            ..timed_out
        },
        Row {
            language: "node",
            code: "console.log('step 1 done'); console.log('step 2 done'); setTimeout(() => {}, 60000)",
            ..timed_out
        },
        Row {
            language: "bash",
            code: "echo 'step 1 done'; echo 'step 2 done'; sleep 60",
            ..timed_out
        },
        Row {
            language: "go",
            code: "package main\n\nimport (\n\t\"fmt\"\n\t\"time\"\n)\n\nfunc main() {\n\tfmt.Println(\"step 1 done\")\n\tfmt.Println(\"step 2 done\")\n\ttime.Sleep(time.Minute)\n}\n",
            ..timed_out
        },
        Row {
            language: "rust",
            code: "fn main() {\n    println!(\"step 1 done\");\n    println!(\"step 2 done\");\n    std::thread::sleep(std::time::Duration::from_secs(60));\n}\n",
            ..timed_out
        },
    ])
    .await;
}

#[tokio::test]
async fn output_that_is_cut_ends_at_a_whole_character() {
    compare(&[
        Row {
            language: "bash",
            what: "two bytes a character",
            code: "printf 'a'\nprintf '\u{e9}%.0s' {1..20}\n",
            more: || json!({"output_bytes": 10}),
            stdout: "a\u{e9}\u{e9}\u{e9}\u{e9}",
            ..PLAIN
        },
        Row {
            language: "python",
            what: "four bytes a character, one at a time",
            code: "import sys, time\nfor _ in range(5):\n    for byte in '\u{1f600}'.encode():\n        sys.stdout.buffer.write(bytes([byte])); sys.stdout.flush(); time.sleep(0.02)\n",
            more: || json!({"output_bytes": 11}),
            stdout: "\u{1f600}\u{1f600}",
            ..PLAIN
        },
        Row {
            language: "python",
            what: "a hundred thousand lines",
            code: "for n in range(100000): print(n)",
            more: || json!({"output_bytes": 12}),
            stdout: "0\n1\n2\n3\n4\n5\n",
            ..PLAIN
        },
    ])
    .await;
}
