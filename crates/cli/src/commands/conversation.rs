//! A program in a VM of its own and the user: keys or pipes go in, what it writes comes out, its exit code is ours.
//!
//! What a guest writes reaches the terminal as it is, escape codes and all: that is what a terminal is for. Without
//! one on both ends the program has pipes.

use super::input::Input;
use super::no_program;
use super::sandbox::told::tell_root;
use crate::progress::status::StatusLine;
use crate::raw_terminal::RawTerminal;
use crate::{signals, terminal};
use anyhow::{Context as _, anyhow};
use protocol::job::Job;
use protocol::language::environment;
use protocol::result::{EXIT_INTERNAL, EXIT_TIMEOUT};
use protocol::supervisor::{
    DEFAULT_KEPT_BYTES, OutputKind, ProcessId, ProcessLimits, ProcessReport, ProcessUser,
};
use protocol::wire::{Ending, LimitName};
use sandbox::live::{LiveError, LiveSandbox, Orders, Output, ProcessSpec, Stdin};
use sandbox::sandbox::Sandbox;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// How long VMs may take to go away once the program has ended.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);
/// What shells say of a program that could not be begun.
const EXIT_NOT_STARTED: u8 = 127;
/// Bytes of input read at once.
const READ_BYTES: usize = 16 * 1024;
/// What programs take the terminal for, where the user's says nothing.
const TERM: &str = "xterm-256color";

/// What stands between the program and the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// The user's terminal, where there is one on both ends; else pipes.
    Terminal,
    /// Pipes, whatever there is.
    Pipes,
}

/// The program that is to run.
pub struct Wanted {
    /// Tried in their order until one is there; one at least.
    pub programs: Vec<Vec<String>>,
    /// What is said where none of several is there.
    pub none: String,
    /// Where it starts.
    pub cwd: String,
    /// As whom.
    pub user: ProcessUser,
    /// How long it may run; `None`: as long as it likes.
    pub timeout: Option<Duration>,
    /// How the user has it.
    pub between: Between,
    /// What it reads.
    pub input: Input,
}

/// How it came to an end.
enum Ended {
    ByItself(ProcessReport),
    Signalled(u8),
}

/// A program and its output, on their way between it and the user.
struct Conversation<'a> {
    live: &'a LiveSandbox,
    process: ProcessId,
    /// `None`: pipes.
    terminal: Option<RawTerminal>,
}

/// Runs it in a VM as the job says, to its end; then the VM is gone, and so is all of the sandbox's.
pub async fn hold(sandbox: &Arc<Sandbox>, job: &Job, wanted: Wanted) -> anyhow::Result<ExitCode> {
    let status = StatusLine::begin("booting a VM");
    let opened = LiveSandbox::open(sandbox, job).await;
    drop(status);
    let live = opened.map_err(|error| anyhow!("{}", error.failure().message))?;
    let tip = match wanted.programs.as_slice() {
        [argv] => no_program::tip(argv),
        _ => None,
    };
    let ended = interact(&live, job, wanted).await;
    live.close().await;
    sandbox.close(CLOSE_PATIENCE).await;
    let ended = match ended {
        Err(error) if signals::is_pipe_closed(&error) => {
            return Ok(ExitCode::from(signals::EXIT_PIPE_CLOSED));
        }
        Err(error) => match error.downcast_ref::<LiveError>() {
            Some(LiveError::NotStarted(_)) => {
                terminal::say(format_args!("{error:#}"));
                return Ok(ExitCode::from(EXIT_NOT_STARTED));
            }
            Some(LiveError::NoProgram { why, .. }) => {
                terminal::say(format_args!("{error:#}{}", tip.unwrap_or_default()));
                return Ok(ExitCode::from(why.exit_code()));
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

async fn interact(live: &LiveSandbox, job: &Job, mut wanted: Wanted) -> anyhow::Result<Ended> {
    if wanted.user == ProcessUser::Root {
        let isolation = live.isolation();
        tell_root(&isolation.engine, &isolation.accelerator);
    }
    let terminal = match wanted.between {
        Between::Terminal => RawTerminal::take().context("taking the terminal")?,
        Between::Pipes => None,
    };
    let process = start(live, &spec(job, &wanted, terminal.as_ref()), &wanted).await?;
    let conversation = Conversation {
        live,
        process,
        terminal,
    };
    let output = live.follow(process, 0).await?;
    tokio::select! {
        printed = print(output) => printed?,
        never = conversation.feed(&mut wanted.input) => match never? {},
        never = conversation.follow_size() => match never? {},
        number = signals::stop_asked() => return Ok(Ended::Signalled(number)),
    }
    Ok(Ended::ByItself(live.wait(process).await?))
}

/// Starts the first program that is there.
async fn start(
    live: &LiveSandbox,
    spec: &ProcessSpec,
    wanted: &Wanted,
) -> anyhow::Result<ProcessId> {
    let has_others = wanted.programs.len() > 1;
    let mut failure = None;
    for argv in &wanted.programs {
        let spec = ProcessSpec {
            argv: argv.clone(),
            ..spec.clone()
        };
        match live.start(spec).await {
            Ok(process) => return Ok(process),
            Err(error @ (LiveError::NotStarted(_) | LiveError::NoProgram { .. })) => {
                failure = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let failure = failure.map_or_else(|| anyhow!("no program"), anyhow::Error::from);
    Err(match has_others {
        true => failure.context(wanted.none.clone()),
        false => failure,
    })
}

fn spec(job: &Job, wanted: &Wanted, terminal: Option<&RawTerminal>) -> ProcessSpec {
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
        cwd: wanted.cwd.clone(),
        user: wanted.user,
        stdin: Stdin::Open,
        orders: Orders::None,
        terminal: terminal.map(RawTerminal::size),
        kept_bytes: DEFAULT_KEPT_BYTES,
        limits: ProcessLimits {
            wall_millis: wanted
                .timeout
                .map_or(0, |timeout| timeout.as_millis() as u64),
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
    async fn feed(&self, input: &mut Input) -> anyhow::Result<std::convert::Infallible> {
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
