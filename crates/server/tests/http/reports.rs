//! Every report of a given collection (`LLM_FIRECRACKER_REPORTS`: JSON lines), sent through each door that can carry it: as
//! a job, as a stream of events, by Piston's API, and as a cell of a session. Where the collection is not
//! there nothing is run, and that is said; what the reports taught has tests of its own beside this one.

use crate::lab::{self, Service, answer};
use serde_json::{Value, json};

/// What is compared otherwise than by what it prints has a test that knows how: `as_reported`, `refusals`, `shells`.
const JUDGED_ELSEWHERE: &[&str] = &["report-25", "report-26", "report-29"];
/// Fields of a job that Piston's API has no word for.
const NOT_OF_PISTON: &[&str] = &["output_bytes", "timeout"];

/// The fields of a job that a session, or its cell, has words for.
const OF_SESSIONS: &[&str] = &["language", "code", "stdin", "env", "timeout", "memory_mib"];

fn collection() -> Option<Vec<Value>> {
    let path = std::env::var_os("LLM_FIRECRACKER_REPORTS")?;
    let text = std::fs::read_to_string(path).unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// The report as a job, whatever door it was written for.
fn job(report: &Value) -> Value {
    let mut job = match &report["request"] {
        Value::Object(_) if report["how"] == "http" => report["request"].clone(),
        Value::Object(piston) => of_piston(piston["files"].as_array().unwrap()),
        _ => json!({ "code": report["code"] }),
    };
    job["language"] = report["lang"].clone();
    let call = report["call"].as_str().unwrap_or_default();
    if call.contains("hello.mjs") {
        job["entry"] = "hello.mjs".into();
    }
    if call.contains("--memory 2048") {
        job["memory_mib"] = 2048.into();
    }
    job
}

fn of_piston(files: &[Value]) -> Value {
    let (program, others) = files.split_first().unwrap();
    let file = |file: &Value| match &file["encoding"] {
        Value::String(encoding) if encoding == "base64" => {
            json!({"path": file["name"], "data": file["content"]})
        }
        _ => json!({"path": file["name"], "content": file["content"]}),
    };
    let others: Vec<Value> = others.iter().map(file).collect();
    json!({"code": program["content"], "entry": program["name"], "files": others})
}

/// The job as Piston's request, where that has words for it.
fn piston(job: &Value) -> Option<Value> {
    if NOT_OF_PISTON
        .iter()
        .any(|field| job.get(*field).is_some_and(|value| !value.is_null()))
    {
        return None;
    }
    let mut program = json!({ "content": job["code"] });
    if job["entry"].is_string() {
        program["name"] = job["entry"].clone();
    }
    let mut files = vec![program];
    for file in job["files"].as_array().into_iter().flatten() {
        files.push(match &file["data"] {
            Value::String(data) => {
                json!({"name": file["path"], "content": data, "encoding": "base64"})
            }
            _ => json!({"name": file["path"], "content": file["content"]}),
        });
    }
    let mut request = json!({"language": job["language"], "version": "*", "files": files});
    for (ours, theirs) in [("stdin", "stdin"), ("args", "args")] {
        if !job[ours].is_null() {
            request[theirs] = job[ours].clone();
        }
    }
    if let Some(mib) = job["memory_mib"].as_u64() {
        request["run_memory_limit"] = (mib * 1024 * 1024).into();
    }
    Some(request)
}

/// What came out of one door: its name, what was printed, the exit code.
type Seen = (&'static str, Value, Value);

async fn all_doors(service: &Service, job: &Value) -> Vec<Seen> {
    let mut seen = Vec::new();
    let (_, result) = service.execute(job).await;
    seen.push(("job", result["stdout"].clone(), result["exit_code"].clone()));
    let request = service.post("/api/v1/execute", job);
    let request = request.header("accept", "text/event-stream");
    let text = request.send().await.unwrap().text().await.unwrap();
    let (stdout, exit_code) = of_events(&text);
    seen.push(("events", stdout, exit_code));
    if let Some(request) = piston(job) {
        let (_, result) = answer(service.post("/api/v2/execute", &request)).await;
        let run = &result["run"];
        seen.push(("piston", run["stdout"].clone(), run["code"].clone()));
    }
    let fields = job.as_object().unwrap();
    let has_words = fields
        .iter()
        .all(|(name, value)| OF_SESSIONS.contains(&name.as_str()) || value.is_null());
    if has_words {
        seen.push(cell(service, job).await);
    }
    seen
}

fn of_events(text: &str) -> (Value, Value) {
    let (mut stdout, mut exit_code) = (String::new(), Value::Null);
    for event in text.split("\n\n") {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let (Some(name), Some(data)) = (field("event: "), field("data: ")) else {
            continue;
        };
        let data: Value = serde_json::from_str(data).unwrap();
        match name {
            "stdout" => stdout.push_str(data["data"].as_str().unwrap_or_default()),
            "result" => exit_code = data["exit_code"].clone(),
            _ => {}
        }
    }
    (stdout.into(), exit_code)
}

async fn cell(service: &Service, job: &Value) -> Seen {
    let mut session = json!({ "language": job["language"] });
    if !job["memory_mib"].is_null() {
        session["memory_mib"] = job["memory_mib"].clone();
    }
    let (_, session) = answer(service.post("/api/v1/sessions", &session)).await;
    let mut body = job.clone();
    body.as_object_mut().unwrap().retain(|name, value| {
        !matches!(name.as_str(), "language" | "memory_mib") && !value.is_null()
    });
    let path = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
    let (_, cell) = answer(service.post(&format!("{path}/execute"), &body)).await;
    let url = service.url(&path);
    service.client.delete(url).send().await.unwrap();
    (
        "session",
        cell["logs"]["stdout"].clone(),
        cell["exit_code"].clone(),
    )
}

#[tokio::test]
async fn each_report_of_the_collection_holds_at_every_door() {
    let Some(reports) = collection() else {
        println!("not run: LLM_FIRECRACKER_REPORTS names no collection");
        return;
    };
    let service = lab::start().await;
    let mut wrong = Vec::new();
    let mut told = 0;
    for report in &reports {
        let (id, language) = (
            report["id"].as_str().unwrap(),
            report["lang"].as_str().unwrap(),
        );
        if JUDGED_ELSEWHERE.contains(&id) || report["expect_stdout"].is_null() {
            println!("{id}: judged by a test that knows how");
            continue;
        }
        if !lab::can_run(language) {
            continue;
        }
        for (door, stdout, exit_code) in all_doors(&service, &job(report)).await {
            told += 1;
            let exits =
                report["expect_exit_code"].is_null() || exit_code == report["expect_exit_code"];
            if stdout != report["expect_stdout"] || !exits {
                wrong.push(format!("{id} as {door}: {stdout} {exit_code}"));
            }
        }
    }
    service.end().await;
    println!("{told} answers of {} reports", reports.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
