//! `shell`: a terminal in a VM of its own. Keys go in, what the program draws comes out; its exit code is ours.
//!
//! What a guest writes reaches the terminal as it is, escape codes and all: that is what a terminal is for. Without
//! one on both ends the program has pipes.

use super::sandbox::told::tell_root;
use crate::args::{Global, ShellArgs};
use crate::raw_terminal::RawTerminal;
use crate::{context, signals, terminal};
use anyhow::{Context as _, anyhow};
use protocol::environment::WORK_DIR;
use protocol::job::{Job, JobRequest, RequestedLimits};
use protocol::language::{asked_for, environment};
use protocol::validate::Rejection;
use protocol::result::{EXIT_INTERNAL, EXIT_REJECTED, EXIT_TIMEOUT};
use protocol::supervisor::{
    DEFAULT_KEPT_BYTES, OutputKind, ProcessId, ProcessLimits, ProcessReport, ProcessUser,
};
use protocol::wire::{Ending, LimitName};
use sandbox::live::{LiveError, LiveSandbox, Orders, Output, ProcessSpec, Stdin};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// How long VMs may take to go away once the program has ended.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);
/// What shells say of a program that is not there or cannot be run.
const EXIT_NOT_STARTED: u8 = 127;
/// Bytes of input read at once.
const READ_BYTES: usize = 16 * 1024;
/// Tried in their order where no program is named: an image of another language may have the second only.
const SHELLS: &[&[&str]] = &[&["bash", "-l"], &["sh", "-l"]];
/// What programs take the terminal for, where the user's says nothing.
const TERM: &str = "xterm-256color";

/// Opens it and stays until its program ends.
pub async fn run(global: &Global, args: ShellArgs) -> anyhow::Result<ExitCode> {
    let config = context::config(global)?;
    let sandbox = context::sandbox(&config).await?;
    let job = match request(&args).and_then(|request| sandbox.admit(request)) {
        Ok(job) => job,
        Err(rejection) => {
            terminal::say(&rejection);
            return Ok(ExitCode::from(EXIT_REJECTED));
        }
    };
    if let Err(rejection) = sandbox.policy().sandboxes.check_user(args.user()) {
        terminal::say(&rejection);
        return Ok(ExitCode::from(EXIT_REJECTED));
    }
    let opened = LiveSandbox::open(&sandbox, &job).await;
    let live = opened.map_err(|error| anyhow!("{}", error.failure().message))?;
    let ended = interact(&live, &job, &args).await;
    live.close().await;
    sandbox.close(CLOSE_PATIENCE).await;
    let ended = match ended {
        Err(error) => match error.downcast_ref::<LiveError>() {
            Some(LiveError::NotStarted(_)) => {
                terminal::say(format_args!("{error:#}"));
                return Ok(ExitCode::from(EXIT_NOT_STARTED));
            }
            _ => return Err(error),
        },
        Ok(ended) => ended,
    };
    match ended {
        Ended::ByItself(report) => Ok(exit_code(&report)),
        Ended::Signalled(number) => {
            terminal::say(format_args!(
                "stopped by signal {number}; the VM is destroyed"
            ));
            Ok(ExitCode::from(128 + number))
        }
    }
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

/// How it came to an end.
enum Ended {
    ByItself(ProcessReport),
    Signalled(u8),
}

/// A program and its input and output, on their way between it and the user.
struct Conversation<'a> {
    live: &'a LiveSandbox,
    process: ProcessId,
    /// `None`: pipes.
    terminal: Option<RawTerminal>,
}

async fn interact(live: &LiveSandbox, job: &Job, args: &ShellArgs) -> anyhow::Result<Ended> {
    if args.user() == ProcessUser::Root {
        let isolation = live.isolation();
        tell_root(&isolation.engine, &isolation.accelerator);
    }
    let terminal = RawTerminal::take().context("taking the terminal")?;
    let process = start(live, &spec(job, args, terminal.as_ref()), args).await?;
    let conversation = Conversation {
        live,
        process,
        terminal,
    };
    let output = live.follow(process, 0).await?;
    tokio::select! {
        printed = print(output) => printed?,
        never = conversation.feed() => match never? {},
        never = conversation.follow_size() => match never? {},
        number = signals::stop_asked() => return Ok(Ended::Signalled(number)),
    }
    Ok(Ended::ByItself(live.wait(process).await?))
}

/// Starts the named program, or the first shell that is there.
async fn start(
    live: &LiveSandbox,
    spec: &ProcessSpec,
    args: &ShellArgs,
) -> anyhow::Result<ProcessId> {
    let mut failure = None;
    for shell in SHELLS {
        let argv = match args.command.is_empty() {
            true => shell.iter().map(|word| (*word).to_owned()).collect(),
            false => args.command.clone(),
        };
        match live
            .start(ProcessSpec {
                argv,
                ..spec.clone()
            })
            .await
        {
            Ok(process) => return Ok(process),
            Err(error @ LiveError::NotStarted(_)) if args.command.is_empty() => {
                failure = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(failure.map_or_else(|| anyhow!("no shell"), Into::into))
}

fn spec(job: &Job, args: &ShellArgs, terminal: Option<&RawTerminal>) -> ProcessSpec {
    let named = std::env::var("TERM").unwrap_or_else(|_| TERM.to_owned());
    let term = terminal.map(|_| ("TERM", named.as_str()));
    let own = job
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let limits = &job.limits;
    ProcessSpec {
        argv: Vec::new(),
        env: environment(job.language, term.into_iter().chain(own)),
        cwd: WORK_DIR.to_owned(),
        user: args.user(),
        stdin: Stdin::Open,
        orders: Orders::None,
        terminal: terminal.map(RawTerminal::size),
        kept_bytes: DEFAULT_KEPT_BYTES,
        limits: ProcessLimits {
            wall_millis: args.timeout.map_or(0, |timeout| timeout.as_millis() as u64),
            cpu_seconds: 0,
            memory_bytes: 0,
            pids: limits.pids,
            file_size_bytes: limits.file_size_bytes,
            open_files: limits.open_files,
        },
    }
}

impl Conversation<'_> {
    /// Passes what is typed or piped on; never comes back but with an error.
    async fn feed(&self) -> anyhow::Result<std::convert::Infallible> {
        let mut input = tokio::io::stdin();
        let mut bytes = vec![0; READ_BYTES];
        loop {
            let count = input.read(&mut bytes).await.context("reading the input")?;
            let fed = match count {
                0 => self.live.close_stdin(self.process).await,
                count => self.live.write(self.process, &bytes[..count]).await,
            };
            match fed {
                // It reads no more; it may still write.
                Err(LiveError::StdinClosed) => break,
                Err(error) => return Err(error.into()),
                Ok(()) if count == 0 => break,
                Ok(()) => {}
            }
        }
        std::future::pending().await
    }

    /// Tells the program when the user's terminal has another size.
    async fn follow_size(&self) -> anyhow::Result<std::convert::Infallible> {
        let Some(terminal) = &self.terminal else {
            return std::future::pending().await;
        };
        let mut changes = signal(SignalKind::window_change()).context("SIGWINCH")?;
        while changes.recv().await.is_some() {
            self.live.resize(self.process, terminal.size()).await?;
        }
        std::future::pending().await
    }
}

/// Writes what comes, to its end. A reader that is gone ends it.
async fn print(mut output: Output) -> anyhow::Result<()> {
    while let Some(piece) = output.next().await? {
        tokio::task::block_in_place(|| match piece.kind {
            OutputKind::Stdout | OutputKind::Terminal => {
                let mut out = std::io::stdout().lock();
                out.write_all(&piece.data).and_then(|()| out.flush())
            }
            OutputKind::Stderr => std::io::stderr().lock().write_all(&piece.data),
            // Of interpreters alone.
            _ => Ok(()),
        })?;
    }
    Ok(())
}

fn exit_code(report: &ProcessReport) -> ExitCode {
    let limit = match &report.ending {
        Ending::Limit { limit, .. } => Some(*limit),
        Ending::Exited | Ending::ForbiddenSyscall { .. } => None,
    };
    let code = match (limit, report.exit_code, report.signal) {
        (Some(LimitName::WallTime), ..) => EXIT_TIMEOUT.into(),
        (_, Some(code), _) => code,
        (_, None, Some(signal)) => 128 + signal,
        (_, None, None) => EXIT_INTERNAL.into(),
    };
    ExitCode::from(u8::try_from(code).unwrap_or(EXIT_INTERNAL))
}
