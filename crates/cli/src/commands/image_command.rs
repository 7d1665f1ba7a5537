//! `run --image NAME` without a program: the command that the image itself names, as whoever made it meant it.

use super::conversation::{self, Between, Wanted};
use super::input;
use crate::args::RunArgs;
use crate::{context, terminal};
use protocol::environment::WORK_DIR;
use protocol::job::{JobRequest, RequestedLimits};
use protocol::language::{RootImage, asked_for};
use protocol::result::EXIT_REJECTED;
use protocol::supervisor::ProcessUser;
use sandbox::config::Config;
use std::fmt::Display;
use std::process::ExitCode;

/// Runs it with pipes, within the time that programs have, and returns its exit code, or ours.
pub async fn run(config: &Config, args: &RunArgs) -> anyhow::Result<ExitCode> {
    let name = args.image.as_deref().unwrap_or_default();
    let label = match asked_for(args.lang.as_deref(), Some(name)) {
        Ok(label) => label.unwrap_or_default(),
        Err(rejection) => return Ok(refuse(rejection)),
    };
    let defaults = RootImage::named(name).and_then(RootImage::defaults);
    let named = defaults.map(|defaults| (defaults, defaults.argv(&args.args)));
    let Some((defaults, argv)) = named.filter(|(_, argv)| !argv.is_empty()) else {
        return Ok(refuse(format_args!(
            "image {name} has no command of its own; name a FILE, - or --code"
        )));
    };
    if let Some(flag) = of_programs(args) {
        return Ok(refuse(format_args!(
            "{flag} goes with a program, and not with an image's own command; name a FILE, - or --code"
        )));
    }
    let input = input::of(args).await?;
    let sandbox = context::sandbox(config).await?;
    let job = match sandbox.admit(request(label, args)) {
        Ok(job) => job,
        Err(rejection) => return Ok(refuse(rejection)),
    };
    let wanted = Wanted {
        programs: vec![argv],
        none: String::new(),
        cwd: defaults
            .working_dir
            .clone()
            .unwrap_or_else(|| WORK_DIR.to_owned()),
        user: ProcessUser::Sandbox,
        timeout: Some(job.limits.timeout),
        between: Between::Pipes,
        input: input.unwrap_or_else(|| Box::new(tokio::io::empty())),
    };
    conversation::hold(&sandbox, &job, wanted).await
}

fn refuse(why: impl Display) -> ExitCode {
    terminal::say(why);
    ExitCode::from(EXIT_REJECTED)
}

/// A flag that would have no effect.
fn of_programs(args: &RunArgs) -> Option<&'static str> {
    let given = [
        ("--with", !args.with.is_empty()),
        ("--input", !args.input.is_empty()),
        ("--output", args.output.is_some()),
        ("--json", args.format.json),
        ("--normalize-time", args.normalize_time.is_some()),
        ("--cpu-time", args.cpu_time.is_some()),
        ("--output-limit", args.output_limit.is_some()),
        ("--fresh-interpreter", args.fresh_interpreter),
        ("--seccomp-profile", args.seccomp_profile != "default"),
    ];
    let first = given.into_iter().find(|(_, is_given)| *is_given);
    first.map(|(flag, _)| flag)
}

fn request(language: String, args: &RunArgs) -> JobRequest {
    JobRequest {
        language,
        // A job has code; this one's is not run.
        code: ":".to_owned(),
        env: args.env.iter().cloned().collect(),
        trace_id: args.trace_id.clone(),
        limits: RequestedLimits {
            timeout_seconds: args.timeout,
            memory_mib: args.memory,
            vcpus: args.vcpus,
            pids: args.pids,
            ..RequestedLimits::default()
        },
        ..JobRequest::default()
    }
}
