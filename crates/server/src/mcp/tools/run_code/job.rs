//! A program in a VM of its own: a job like any other, in turn with all of its key's.

use super::{Arguments, FileArgument};
use crate::execute::request::{ExecuteRequest, job_io};
use crate::execute::response::error_sentence;
use crate::execute::{finished, run as run_job};
use crate::mcp::call::Call;
use crate::mcp::file_facts::FileFacts;
use crate::mcp::kept::{KeptRun, RunId};
use crate::mcp::picture::{Pictures, Shown};
use crate::mcp::progress::Progress;
use crate::mcp::run_facts::{RunFacts, Texts, thousandths};
use crate::problem::Problem;
use crate::turn::Turn;
use protocol::result::{ArtifactFile, JobResult};
use rmcp::model::CallToolResult;
use sandbox::drive::JobOutput;
use std::time::Instant;
use tokio::sync::mpsc;

/// Pieces of output between the job and who is told of its progress.
const WAITING_PIECES: usize = 16;

pub(super) async fn run(call: &Call, arguments: Arguments) -> Result<CallToolResult, Problem> {
    let app = &call.app;
    let image = arguments.image.as_deref();
    app.rooms.sandbox.know_image(image).await;
    let submission = request(arguments).submission(None)?;
    let mut job = app.admit(&call.who, submission.request)?;
    app.bring_packages(&call.who, &mut job, &submission.packages)
        .await?;
    let image = job.language.image();
    let trace_id = job.trace_id.to_string();
    let turn = Turn::enter(app, &call.who);
    let mut turn = turn.map_err(|problem| problem.trace_id(&trace_id))?;
    let (output, outputs) = mpsc::channel(WAITING_PIECES);
    let mut io = job_io(submission.stdin);
    io.output = Some(output);
    let running = async {
        let running = run_job(app, job, io, &mut turn);
        let (result, ()) = tokio::join!(running, hear(outputs, &call.progress));
        result
    };
    let result = call.progress.during(running).await;
    // Its place and the room of its result are kept until the answer is out.
    call.until_answered.keep(turn);
    let result = finished(result).map_err(|problem| problem.of_image(image))?;
    Ok(told(call, result))
}

async fn hear(mut outputs: mpsc::Receiver<JobOutput>, progress: &Progress) {
    while let Some(output) = outputs.recv().await {
        progress.hear(&output.data);
    }
}

/// A job's folder has what came with it, and nothing else: this has `/work/out` be there when the program starts, for
/// models write into it without making it. It is no file that was left.
const PLACEHOLDER: &str = ".keep";

fn placeholder() -> FileArgument {
    FileArgument {
        path: format!("out/{PLACEHOLDER}"),
        content: Some(String::new()),
        data: None,
    }
}

fn request(arguments: Arguments) -> ExecuteRequest {
    let mut files = arguments.files.unwrap_or_default();
    let is_there = |file: &FileArgument| file.path == "out" || file.path.starts_with("out/");
    if !files.iter().any(is_there) {
        files.push(placeholder());
    }
    ExecuteRequest {
        language: Some(arguments.language),
        code: arguments.code,
        stdin: arguments.stdin,
        args: arguments.args.unwrap_or_default(),
        files: files.into_iter().map(Into::into).collect(),
        timeout: arguments.timeout,
        image: arguments.image,
        packages: arguments.packages.unwrap_or_default(),
        ..ExecuteRequest::default()
    }
}

fn told(call: &Call, mut result: JobResult) -> CallToolResult {
    let id = result.trace_id.to_string();
    let mut artifacts: Vec<ArtifactFile> = std::mem::take(&mut result.artifacts);
    artifacts.retain(|file| file.path != PLACEHOLDER);
    let run = RunId {
        owner: &call.who.id,
        id: &id,
    };
    let kept = call.app.mcp.kept.keep(run, artifacts, Instant::now());
    let (files, pictures) = files(&id, &kept);
    let mut facts = RunFacts {
        status: result.status.as_str(),
        exit_code: result.exit_code,
        signal: result.signal,
        error: error_sentence(&result),
        seconds: thousandths(result.timings.execute),
        pictures: pictures.count(),
        run_id: (!files.is_empty()).then(|| id.clone()),
        ..RunFacts::default()
    };
    let truncated = [
        (result.stdout_truncated, "stdout"),
        (result.stderr_truncated, "stderr"),
    ];
    for (_, stream) in truncated.into_iter().filter(|(is, _)| *is) {
        facts.note(&format!(
            "the program printed more to {stream} than is kept"
        ));
    }
    for note in &result.notes {
        facts.note(note);
    }
    facts
        .with_texts(Texts {
            stdout: &result.stdout,
            stderr: &result.stderr,
            ..Texts::default()
        })
        .with_files(files)
        .result(pictures)
}

/// What a run left, and what of it is shown.
fn files(id: &str, kept: &KeptRun) -> (Vec<FileFacts>, Pictures) {
    let mut pictures = Pictures::default();
    let fact = |(path, data): &(String, axum::body::Bytes)| FileFacts {
        shown: pictures.take(data.clone()) == Shown::Yes,
        ..FileFacts::new(id, path, data.len() as u64)
    };
    let files = kept.files.iter().map(fact).collect();
    (files, pictures)
}
