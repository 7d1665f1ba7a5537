//! `run`: behaves like running the program: its output streams through, its exit code is ours.

use super::packages::{self, Asked};
use super::{image_command, input};
use crate::args::{Global, RunArgs, ScanArg};
use crate::terminal::{self, Visible};
use crate::{artifacts, context};
use anyhow::{Context as _, anyhow};
use protocol::error_code::ErrorCode;
use protocol::job::{JobRequest, RequestedLimits, ScanMode};
use protocol::language::{Language, asked_for, names};
use protocol::path::check_relative;
use protocol::result::{EXIT_INTERNAL, EXIT_REJECTED, JobResult, Status};
use protocol::validate::{Rejection, code_from_bytes};
use sandbox::drive::{JobIo, JobOutput, OutputStream};
use sandbox::outcome;
use sandbox::sandbox::{Sandbox, rejected};
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
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
    match try_run(global, args).await {
        Ok(code) => code,
        Err(error) => {
            terminal::say(format_args!("{error:#}"));
            ExitCode::from(EXIT_INTERNAL)
        }
    }
}

async fn try_run(global: &Global, mut args: RunArgs) -> anyhow::Result<ExitCode> {
    let mut config = context::config(global)?;
    if args.no_snapshot {
        config.snapshots.enabled = false;
    }
    if args.image.is_some() {
        // A user's own images are known once the store is open.
        context::image_store(&config)?;
    }
    if args.file.is_none() && args.code.is_none() {
        return image_command::run(&config, &args).await;
    }
    // Everything that can be refused is refused before a VMM is looked for.
    let request = match request(&args) {
        Ok(request) => request,
        Err(Refusal::Job(rejection)) => return refuse(&args, rejection),
        Err(Refusal::Input(error)) => {
            terminal::say(format_args!("{error:#}"));
            return Ok(ExitCode::from(EXIT_REJECTED));
        }
    };
    let stdin = input::of(&args).await?;
    let sandbox = context::sandbox(&config).await?;
    let mut job = match sandbox.admit(request) {
        Ok(job) => job,
        Err(rejection) => return refuse(&args, rejection),
    };
    let asked = Asked {
        with: &args.with,
        file: args.file.as_deref().filter(|_| args.code.is_none()),
    };
    if let Err(result) = packages::bring(&sandbox, &mut job, asked).await {
        report(&args, &result)?;
        return Ok(ExitCode::from(result.tool_exit_code()));
    }
    for name in &job.patterns_found {
        terminal::say(format_args!(
            "warning: the code contains {name} (--scan block refuses it)"
        ));
    }
    let output = args.output.take();
    let outcome = run_until_signal(&sandbox, job, stdin, &args).await;
    let code = match outcome {
        Outcome::Finished(result) => {
            if let Some(dir) = &output {
                artifacts::save(dir, &result.artifacts)?;
            }
            report(&args, &result)?;
            ExitCode::from(result.tool_exit_code())
        }
        Outcome::Signalled(number) => {
            terminal::say(format_args!(
                "stopped by signal {number}; the VM is destroyed"
            ));
            ExitCode::from(128 + number)
        }
    };
    sandbox.close(CLOSE_PATIENCE).await;
    Ok(code)
}

/// Why nothing was run.
enum Refusal {
    Job(Rejection),
    Input(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Refusal::Input(error)
    }
}

fn request(args: &RunArgs) -> Result<JobRequest, Refusal> {
    let language = language(args)?;
    let bytes = code(args)?;
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
        entry: entry(args),
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
        scan: args.scan.map(|scan| match scan {
            ScanArg::Off => ScanMode::Off,
            ScanArg::Warn => ScanMode::Warn,
            ScanArg::Block => ScanMode::Block,
        }),
    })
}

/// The program's own name, where it has one that a guest can use.
fn entry(args: &RunArgs) -> Option<String> {
    let name = args.file.as_deref()?.file_name()?.to_str()?;
    let is_plain = name != "-" && args.code.is_none() && check_relative(name).is_ok();
    is_plain.then(|| name.to_owned())
}

/// The language's name: as given, else from the file's extension, else the first of the image's.
fn language(args: &RunArgs) -> Result<String, Refusal> {
    let extension = args
        .file
        .as_deref()
        .and_then(Path::extension)
        .and_then(|extension| extension.to_str());
    let of_file = || {
        extension
            .and_then(Language::from_extension)
            .map(Language::name)
    };
    let language = args.lang.as_deref().or_else(of_file);
    let asked = asked_for(language, args.image.as_deref()).map_err(Refusal::Job)?;
    let asked = asked.with_context(|| {
        let names = names();
        format!("no file's extension tells the language; add --lang and one of: {names}")
    });
    Ok(asked?)
}

fn code(args: &RunArgs) -> anyhow::Result<Vec<u8>> {
    // One byte over the bound is enough to refuse the rest unread.
    let bound = protocol::limits::MAX_CODE_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    match (&args.code, &args.file) {
        (Some(code), _) => bytes.extend_from_slice(code.as_bytes()),
        (None, Some(file)) if file.as_os_str() == "-" => {
            std::io::stdin()
                .lock()
                .take(bound)
                .read_to_end(&mut bytes)
                .context("reading the program from standard input")?;
        }
        (None, Some(file)) => {
            std::fs::File::open(file)
                .and_then(|open| open.take(bound).read_to_end(&mut bytes))
                .with_context(|| format!("reading the program {}", file.display()))?;
        }
        (None, None) => return Err(anyhow!("name a FILE, - or --code")),
    }
    Ok(bytes)
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
    let job_and_printing = async {
        let (result, ()) = tokio::join!(sandbox.run(job, io), print(receiver, Shown::of(args)));
        result
    };
    tokio::select! {
        result = job_and_printing => Outcome::Finished(Box::new(result)),
        number = crate::signals::stop_asked() => Outcome::Signalled(number),
    }
}

/// Passes output on as it comes. A reader that is gone ends the job: dropping the receiver says so.
async fn print(mut outputs: mpsc::Receiver<JobOutput>, [mut out, mut err]: [Shown; 2]) {
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    while let Some(JobOutput { stream, data }) = outputs.recv().await {
        let written = tokio::task::block_in_place(|| match stream {
            OutputStream::Stdout => out.write(&mut stdout.lock(), &data),
            OutputStream::Stderr => err.write(&mut stderr.lock(), &data),
        });
        if written.is_err() {
            return;
        }
    }
    // Nobody is left to be told that the last bytes could not be written.
    let _ = out.finish(&mut stdout.lock());
    let _ = err.finish(&mut stderr.lock());
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
    report(args, &result)?;
    Ok(ExitCode::from(result.tool_exit_code()))
}

/// The JSON result, or a sentence on standard error where the ending needs one.
fn report(args: &RunArgs, result: &JobResult) -> anyhow::Result<()> {
    if args.format.json {
        return crate::table::json_line(result).context("writing the result");
    }
    let plain_end = matches!(result.status, Status::Ok)
        || (result.status == Status::Error && result.signal.is_none());
    if !plain_end {
        let code = result
            .failure
            .as_ref()
            .map(|failure| failure.code)
            .filter(|code| *code != ErrorCode::Cancelled);
        let code = code.map(|code| format!(" [{code}]")).unwrap_or_default();
        terminal::say(format_args!("{}{code}", outcome::sentence(result)));
    }
    for (cut, name) in [
        (result.stdout_truncated, "stdout"),
        (result.stderr_truncated, "stderr"),
    ] {
        if cut {
            terminal::say(format_args!(
                "{name} was cut at the output limit (--output-limit)"
            ));
        }
    }
    // What the scan found was said before the program ran.
    for note in result
        .notes
        .iter()
        .filter(|note| !note.starts_with("the scan "))
    {
        terminal::say(note);
    }
    Ok(())
}
