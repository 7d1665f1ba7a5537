//! Piston's API with its own example requests.

use crate::lab::{self, answer};
use serde_json::{Value, json};

#[tokio::test]
async fn runtimes_are_listed_and_refusals_are_messages() {
    let service = lab::start().await;
    for path in ["/api/v2/runtimes", "/api/v2/piston/runtimes"] {
        let (status, runtimes) = answer(service.client.get(service.url(path))).await;
        assert_eq!(status, 200);
        let names: Vec<&str> = runtimes
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["language"].as_str().unwrap())
            .collect();
        // Under the names that they have there, in the order of ours.
        let first = ["bash", "c", "c++", "go", "java", "lua", "javascript"];
        assert_eq!(names[..first.len()], first);
        assert_eq!(runtimes[first.len() - 1]["runtime"], "node");
        assert_eq!(names.len(), protocol::language::all().count());
    }
    for (body, status, message) in [
        (json!({}), 400, "language is required as a string"),
        (
            json!({"language": "js", "version": "1", "files": [{"content": ""}]}),
            400,
            "js-1 runtime is unknown",
        ),
        (
            json!({"language": "js", "version": "*", "files": [{"content": ""}]}),
            400,
            "the code is empty",
        ),
    ] {
        let (seen, error) = answer(service.post("/api/v2/execute", &body)).await;
        assert_eq!(seen, status);
        let text = error["message"].as_str().unwrap();
        assert!(text.starts_with(message), "{text}");
        assert_eq!(error.as_object().unwrap().len(), 1);
    }
    service.end().await;
}

async fn run(language: &str, code: &str, more: Value) -> Option<Value> {
    if !lab::can_run(
        protocol::language::Language::from_alias(language)
            .unwrap()
            .name(),
    ) {
        return None;
    }
    let service = lab::start().await;
    let mut body =
        json!({"language": language, "version": "*", "files": [{"name": "prog", "content": code}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let (status, result) = answer(service.post("/api/v2/execute", &body)).await;
    assert_eq!(status, 200, "{result}");
    service.end().await;
    Some(result)
}

#[tokio::test]
async fn a_program_runs_in_pistons_words() {
    let code = "import sys\nprint(input())\nprint(sys.argv[1], file=sys.stderr)\nsys.exit(4)";
    let more = json!({"stdin": "line", "args": ["arg"], "run_memory_limit": -1, "compile_memory_limit": -1, "run_timeout": 9000});
    let Some(result) = run("py", code, more).await else {
        return;
    };
    assert_eq!(result["language"], "python");
    let run = &result["run"];
    assert_eq!(
        (&run["stdout"], &run["stderr"]),
        (&"line\n".into(), &"arg\n".into())
    );
    assert_eq!(
        (&run["code"], &run["signal"], &run["status"]),
        (&4.into(), &Value::Null, &"RE".into())
    );
    // Two pipes: which of them is read first is not fixed.
    let output = run["output"].as_str().unwrap();
    assert!(
        output.contains("line\n") && output.contains("arg\n"),
        "{output}"
    );
    assert!(run["wall_time"].as_u64().is_some() && run["cpu_time"].as_u64().is_some());
}

#[tokio::test]
async fn a_compiler_has_a_stage_of_its_own() {
    let Some(result) = run(
        "rust",
        "fn main() { println!(\"hi\"); nonsense }",
        json!({}),
    )
    .await
    else {
        return;
    };
    assert_ne!(result["compile"]["code"], 0);
    assert!(
        result["compile"]["stderr"]
            .as_str()
            .unwrap()
            .contains("nonsense")
    );
    assert_eq!(result["run"], result["compile"]);
}

#[tokio::test]
async fn time_is_up_in_pistons_words() {
    let Some(result) = run("bash", "sleep 60", json!({"run_timeout": 300})).await else {
        return;
    };
    let run = &result["run"];
    assert_eq!(
        (&run["status"], &run["signal"], &run["code"]),
        (&"TO".into(), &"SIGKILL".into(), &Value::Null)
    );
}
