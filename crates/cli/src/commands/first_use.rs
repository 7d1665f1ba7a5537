//! An image that a program needs and that was never built: one line with the command that builds it, or, where a person
//! is there to answer, a question.

use super::images::build::{Build, kernels_wanted};
use crate::args::{KernelArg, RunArgs};
use crate::context;
use anyhow::Context as _;
use images::Rebuild;
use languages::{Language, RootImage};
use protocol::error_code::ErrorCode;
use protocol::job::JobRequest;
use protocol::result::{Failure, JobResult, Status};
use protocol::trace_id::TraceId;
use sandbox::config::Config;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Has the request's image there, as far as the user wants it built; `Some`: why nothing can run.
pub async fn bring(
    config: &Config,
    args: &RunArgs,
    request: &JobRequest,
) -> anyhow::Result<Option<JobResult>> {
    // One that is not known is refused where all else is.
    let Some(image) = Language::from_label(&request.language).map(Language::image) else {
        return Ok(None);
    };
    let store = context::image_store(config)?;
    let is_there = || -> anyhow::Result<bool> {
        let has_image = store.list()?.iter().any(|row| row.image == image);
        Ok(has_image && !store.kernels().is_empty())
    };
    if image.is_custom() || is_there()? {
        return Ok(None);
    }
    if !can_ask(args) || !ask(image)? {
        return Ok(Some(missing(image, request)));
    }
    let build = Build {
        kernels: kernels_wanted(config, KernelArg::Auto).await,
        images: vec![image],
        rebuild: Rebuild::IfNeeded,
        rebuild_kernels: Rebuild::IfNeeded,
    };
    build.run(config, store.clone()).await?;
    Ok(None)
}

/// A person sees the question and can answer it: standard input is not the program's text.
fn can_ask(args: &RunArgs) -> bool {
    let program_is_stdin = args
        .file
        .as_deref()
        .is_some_and(|file| file.as_os_str() == "-");
    !args.format.json
        && !program_is_stdin
        && std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal()
}

fn ask(image: RootImage) -> anyhow::Result<bool> {
    let mut stderr = std::io::stderr().lock();
    write!(
        stderr,
        "The {image} image is not built yet; that takes a minute, the first one a few. Build it now? [Y/n] "
    )?;
    stderr.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.context("reading the answer")?;
    // The end of input is no consent.
    Ok(!answer.is_empty() && ["", "y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn missing(image: RootImage, request: &JobRequest) -> JobResult {
    let named = request.trace_id.as_deref();
    let trace_id = named.and_then(|text| TraceId::parse(text).ok());
    let failure = Failure {
        code: ErrorCode::ImageMissing,
        message: format!(
            "the {image} image is not built yet: run `llm-firecracker images build {image}`{}",
            context::shared_images::hint()
        ),
        field: None,
    };
    JobResult::failed(
        trace_id.unwrap_or_else(TraceId::generate),
        Status::Rejected,
        failure,
    )
}
