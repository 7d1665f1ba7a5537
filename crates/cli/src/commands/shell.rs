//! `shell`: a terminal in a VM of its own. Keys go in, what the program draws comes out; its exit code is ours.

use super::conversation::{self, Between, Wanted};
use super::packages::{self, Asked};
use crate::args::{Global, ShellArgs};
use crate::{context, exit, terminal};
use protocol::environment::WORK_DIR;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::language::asked_for;
use protocol::result::EXIT_REJECTED;
use protocol::validate::Rejection;
use sandbox::outcome;
use std::process::ExitCode;

/// Tried in their order where no program is named: an image of another language may have the second only.
const SHELLS: &[&[&str]] = &[&["bash", "-l"], &["sh", "-l"]];

/// Opens it and stays until its program ends.
pub async fn run(global: &Global, args: ShellArgs) -> ExitCode {
    let ended = open(global, args).await;
    ended.unwrap_or_else(|error| exit::of_program(&error))
}

async fn open(global: &Global, args: ShellArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let sandbox = context::sandbox(&config).await?;
    let mut job = match request(&args).and_then(|request| sandbox.admit(request)) {
        Ok(job) => job,
        Err(rejection) => return Ok(refuse(&rejection)),
    };
    if let Err(rejection) = sandbox.policy().sandboxes.check_user(args.user()) {
        return Ok(refuse(&rejection));
    }
    let asked = Asked {
        with: &args.with,
        file: None,
    };
    if let Err(result) = packages::bring(&sandbox, &mut job, asked).await {
        terminal::say(outcome::sentence(&result));
        return Ok(ExitCode::from(result.tool_exit_code()));
    }
    let image = &args.image;
    let wanted = Wanted {
        user: args.user(),
        timeout: args.timeout,
        programs: programs(args.command),
        none: format!(
            "image {image} has neither bash nor sh; name a program of it: shell --image {image} -- PROGRAM"
        ),
        cwd: WORK_DIR.to_owned(),
        between: Between::Terminal,
        input: Box::new(tokio::io::stdin()),
    };
    conversation::hold(&sandbox, &job, wanted).await
}

fn refuse(rejection: &Rejection) -> ExitCode {
    terminal::say(rejection);
    ExitCode::from(EXIT_REJECTED)
}

/// The one that is named, else any shell.
fn programs(command: Vec<String>) -> Vec<Vec<String>> {
    if !command.is_empty() {
        return vec![command];
    }
    let words = |shell: &&[&str]| shell.iter().map(|word| (*word).to_owned()).collect();
    SHELLS.iter().map(words).collect()
}

fn request(args: &ShellArgs) -> Result<JobRequest, Rejection> {
    let language = asked_for(None, Some(&args.image))?;
    Ok(JobRequest {
        language: language.unwrap_or_default(),
        // A job has code; this one's is not run.
        code: ":".to_owned(),
        env: args.env.iter().cloned().collect(),
        limits: RequestedLimits {
            memory_mib: args.memory,
            vcpus: args.vcpus,
            // 0 is as configured.
            writable_mib: args.writable.then_some(0),
            ..RequestedLimits::default()
        },
        ..JobRequest::default()
    })
}
