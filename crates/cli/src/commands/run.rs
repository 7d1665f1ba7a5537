//! `run`: behaves like running the program: its output streams through, its exit code is ours.

use super::packages::{self, Asked};
use super::{first_use, image_command, input, program, report};
use crate::args::{Global, RunArgs, ScanArg};
use crate::progress::status::StatusLine;
use crate::terminal::{self, Visible};
use crate::{artifacts, context, exit, signals};
use anyhow::Context as _;
use protocol::error_code::ErrorCode;
use protocol::job::{JobRequest, RequestedLimits, ScanMode};
use protocol::result::JobResult;
use protocol::validate::{Rejection, code_from_bytes};
use sandbox::config::Config;
use sandbox::drive::{JobIo, JobOutput, OutputStream};
use sandbox::sandbox::{Sandbox, rejected};
use std::io::{ErrorKind, IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;

/// How long VMs may take to go away once the answer is out.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// Output chunks between the sandbox and the terminal: a slow terminal slows the program, as a pipe would.
const OUTPUT_CHUNKS: usize = 16;

/// Runs one program and returns its exit code, or ours.
pub async fn run(global: &Global, args: RunArgs) -> ExitCode {
    let done = async {
        let mut config = context::config(global)?;
        config.snapshots.enabled &= !args.no_snapshot;
        try_run(&config, args).await
    };
    done.await.unwrap_or_else(|error| exit::of_program(&error))
}

async fn try_run(config: &Config, mut args: RunArgs) -> anyhow::Result<ExitCode> {
    if args.image.is_some() {
        // A user's own images are known once the store is open.
        context::image_store(config)?;
    }
    if args.file.is_none() && args.code.is_none() {
        return image_command::run(config, &args).await;
    }
    // Everything that can be refused is refused before a VMM is looked for.
    let request = match request(&args) {
        Ok(request) => request,
        Err(Refusal::Job(rejection)) => return refuse(&args, rejection),
        Err(Refusal::Input(error)) => return Err(exit::usage(error)),
    };
    if let Some(dir) = &args.output {
        artifacts::make_ready(dir).map_err(exit::usage)?;
    }
    let stdin = input::of(&args).await?;
    if let Some(result) = first_use::bring(config, &args, &request).await? {
        tell(&args, &result, None)?;
        return Ok(ExitCode::from(result.tool_exit_code()));
    }
    let status = StatusLine::begin("looking for an engine that works here");
    let sandbox = context::sandbox(config).await?;
    let mut job = match sandbox.admit(request) {
        Ok(job) => job,
        Err(rejection) => return refuse(&args, rejection),
    };
    let asked = Asked {
        with: &args.with,
        file: args.file.as_deref().filter(|_| args.code.is_none()),
    };
    if let Err(result) = packages::bring(&sandbox, &mut job, asked).await {
        tell(&args, &result, None)?;
        return Ok(ExitCode::from(result.tool_exit_code()));
    }
    let memory_mib = job.limits.memory_mib;
    for name in &job.patterns_found {
        terminal::say(format_args!(
            "warning: the code contains {name} (--scan block refuses it)"
        ));
    }
    let output = args.output.take();
    let outcome = run_until_signal(&sandbox, job, stdin, &args).await;
    drop(status);
    let mut saved = Ok(());
    let code = match outcome {
        Outcome::Finished(result) => {
            if let Some(dir) = &output {
                saved = artifacts::save(dir, &result.artifacts);
            }
            // Whatever became of its files, its result is told, and nothing of it is left behind.
            saved = tell(&args, &result, Some(memory_mib)).and(saved);
            ExitCode::from(result.tool_exit_code())
        }
        Outcome::PipeClosed => ExitCode::from(signals::EXIT_PIPE_CLOSED),
        Outcome::Signalled(number) => {
            terminal::say(format_args!(
                "stopped by signal {number}; the VM is destroyed"
            ));
            ExitCode::from(128 + number)
        }
    };
    sandbox.close(CLOSE_PATIENCE).await;
    saved.map(|()| code)
}

/// Why nothing was run.
pub(super) enum Refusal {
    Job(Rejection),
    Input(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Refusal::Input(error)
    }
}

fn request(args: &RunArgs) -> Result<JobRequest, Refusal> {
    let bytes = program::text(args)?;
    let language = program::language(args, &bytes)?;
    let code = code_from_bytes(bytes).map_err(Refusal::Job)?;
    let files = args
        .input
        .iter()
        .map(|file| input::file(file))
        .collect::<anyhow::Result<_>>()?;
    Ok(JobRequest {
        owner: None,
        language,
        code,
        entry: program::entry(args),
        args: args.args.clone(),
        env: args.env.iter().cloned().collect(),
        files,
        trace_id: args.trace_id.clone(),
        limits: RequestedLimits {
            timeout_seconds: args.timeout,
            compile_timeout_seconds: args.compile_timeout,
            cpu_seconds: args.cpu_time,
            memory_mib: args.memory,
            vcpus: args.vcpus,
            pids: args.pids,
            output_bytes: args.output_limit,
            file_size_bytes: None,
            writable_mib: None,
        },
        fresh_interpreter: args.fresh_interpreter,
        collect_artifacts: args.output.is_some(),
        normalize_time: args.normalize_time,
        seccomp_program: seccomp_program(&args.seccomp_profile)?,
        egress: args.egress.clone(),
        scan: args.scan.map(|scan| match scan {
            ScanArg::Off => ScanMode::Off,
            ScanArg::Warn => ScanMode::Warn,
            ScanArg::Block => ScanMode::Block,
        }),
    })
}

/// The name of the profile that the agent has built in: nothing needs to be sent for it.
const BUILTIN_PROFILE: &str = "default";

/// A profile by name, else from a file, as the program that the guest installs.
fn seccomp_program(name_or_file: &str) -> Result<Vec<u64>, Refusal> {
    if name_or_file == BUILTIN_PROFILE {
        return Ok(Vec::new());
    }
    // A built-in's name is never a file's: `./vmm` is.
    let profile = match seccomp::builtin_names().any(|name| name == name_or_file) {
        true => seccomp::Profile::builtin_for_jobs(name_or_file),
        false => seccomp::Profile::parse(&profile_text(name_or_file)?, name_or_file),
    };
    let program = profile.and_then(|profile| profile.compile());
    let program = program.map_err(|error| {
        Refusal::Job(Rejection::new(
            ErrorCode::SeccompProfileInvalid,
            "seccomp_profile",
            error.to_string(),
        ))
    })?;
    Ok(program.as_u64s())
}

/// The text of a profile's file, as far as one that is too long can be told from one that is not.
fn profile_text(file: &str) -> anyhow::Result<String> {
    let bound = seccomp::profile::MAX_PROFILE_BYTES as u64 + 1;
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(bound).read_to_string(&mut text))
        .with_context(|| {
            let names: Vec<_> = seccomp::job_names().collect();
            format!(
                "--seccomp-profile {file} is neither one of {} nor a readable file",
                names.join(", ")
            )
        })?;
    Ok(text)
}

enum Outcome {
    Finished(Box<JobResult>),
    /// Nobody reads what the program writes any more.
    PipeClosed,
    Signalled(u8),
}

async fn run_until_signal(
    sandbox: &Sandbox,
    job: protocol::job::Job,
    stdin: Option<Box<dyn AsyncRead + Send + Unpin>>,
    args: &RunArgs,
) -> Outcome {
    let (sender, receiver) = mpsc::channel(OUTPUT_CHUNKS);
    let io = JobIo {
        stdin,
        output: (!args.format.json).then_some(sender),
        ..JobIo::default()
    };
    let job_and_printing =
        async { tokio::join!(sandbox.run(job, io), print(receiver, Shown::of(args))) };
    tokio::select! {
        (result, printed) = job_and_printing => match printed {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Outcome::PipeClosed,
            _ => Outcome::Finished(Box::new(result)),
        },
        number = signals::stop_asked() => Outcome::Signalled(number),
    }
}

/// Passes output on as it comes. A reader that is gone ends the job: dropping the receiver says so.
async fn print(
    mut outputs: mpsc::Receiver<JobOutput>,
    [mut out, mut err]: [Shown; 2],
) -> std::io::Result<()> {
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    while let Some(JobOutput { stream, data }) = outputs.recv().await {
        tokio::task::block_in_place(|| match stream {
            OutputStream::Stdout => out.write(&mut stdout.lock(), &data),
            OutputStream::Stderr => err.write(&mut stderr.lock(), &data),
        })?;
    }
    out.finish(&mut stdout.lock())?;
    err.finish(&mut stderr.lock())
}

/// A stream of the program's on its way out: as it is, or so that a terminal shows it and acts on none of it.
struct Shown(Option<Visible>);

impl Shown {
    /// Standard output, and standard error.
    fn of(args: &RunArgs) -> [Shown; 2] {
        let terminals = [
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal(),
        ];
        terminals.map(|is| Shown((is && !args.format.raw).then(Visible::default)))
    }

    fn write(&mut self, to: &mut dyn std::io::Write, data: &[u8]) -> std::io::Result<()> {
        match &mut self.0 {
            Some(visible) => to.write_all(visible.push(data).as_bytes())?,
            None => to.write_all(data)?,
        }
        to.flush()
    }

    fn finish(&mut self, to: &mut dyn std::io::Write) -> std::io::Result<()> {
        if let Some(visible) = &mut self.0 {
            to.write_all(visible.finish().as_bytes())?;
        }
        to.flush()
    }
}

fn refuse(args: &RunArgs, rejection: Rejection) -> anyhow::Result<ExitCode> {
    let result = rejected(rejection);
    tell(args, &result, None)?;
    Ok(ExitCode::from(result.tool_exit_code()))
}

fn tell(args: &RunArgs, result: &JobResult, memory_mib: Option<u32>) -> anyhow::Result<()> {
    match args.format.json {
        true => report::print_json(result),
        false => report::print(result, memory_mib),
    }
}
