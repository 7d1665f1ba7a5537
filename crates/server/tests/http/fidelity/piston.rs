//! The same habits in requests that Piston's clients send.

use crate::lab;
use serde_json::{Value, json};

async fn run(language: &str, files: Value) -> Option<Value> {
    if !lab::can_run(language) {
        return None;
    }
    let service = lab::start().await;
    let body = json!({"language": language, "version": "*", "files": files});
    let response = service
        .client
        .post(format!("http://{}/api/v2/execute", service.address))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let result: Value = response.json().await.unwrap();
    service.end().await;
    Some(result["run"].clone())
}

/// As a terminal would have shown it.
#[tokio::test]
async fn both_outputs_are_merged_in_the_order_of_writing() {
    let expected: String = (1..=200)
        .map(|n| format!("o{n}\ne{n}\ne{n}\no{n}\n"))
        .collect();
    for (language, code) in [
        (
            "bash",
            "for i in {1..200}; do echo o$i; echo e$i >&2; echo e$i >&2; echo o$i; done",
        ),
        (
            "python",
            "import sys\nfor i in range(1, 201):\n    print(f'o{i}')\n    print(f'e{i}\\ne{i}', file=sys.stderr)\n    print(f'o{i}')",
        ),
    ] {
        let Some(run) = run(language, json!([{"content": code}])).await else {
            continue;
        };
        assert_eq!(run["output"], expected, "{language}");
    }
}

#[tokio::test]
async fn the_first_file_runs_under_its_name_and_the_others_keep_theirs() {
    for (language, files, stdout) in [
        (
            "python",
            json!([{"name": "check.py", "content": "import main\nprint(main.answer(), __file__)\n"},
                   {"name": "main.py", "content": "def answer():\n    return 42\n"}]),
            "42 /work/check.py\n",
        ),
        (
            "node",
            json!([{"name": "hello.mjs", "content": "import { basename } from 'node:path';\nconsole.log(basename(import.meta.url));"}]),
            "hello.mjs\n",
        ),
        (
            "go",
            json!([{"name": "prog", "content": "package main\n\nfunc main() { println(); print(); }\n"}]),
            "",
        ),
        (
            "bash",
            json!([{"content": "echo nameless; ls"}]),
            "nameless\nmain.sh\n",
        ),
        (
            "rust",
            json!([{"name": "src/prog.rs", "content": "mod util;\nfn main() { println!(\"{}\", util::one()); }"},
                   {"name": "src/util.rs", "content": "pub fn one() -> i32 { 1 }"}]),
            "1\n",
        ),
    ] {
        let Some(run) = run(language, files).await else {
            continue;
        };
        assert_eq!(
            (&run["stdout"], &run["code"]),
            (&stdout.into(), &0.into()),
            "{run:#}"
        );
    }
}
