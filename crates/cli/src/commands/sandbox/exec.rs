//! `sandbox exec`: a program in a sandbox as if it ran here: its output streams through, its exit code is ours. It
//! ends with this command, and is forgotten with its end; in the background it stays.

use super::address::{self, Tls};
use super::exit::Exit;
use super::feed::feed;
use super::interrupts::{Interrupts, Stopped};
use super::service::{Service, ServiceError, off_thread};
use super::shown::Shown;
use super::told::{self, Started, Telling, Told};
use super::tty;
use crate::args::{ExecArgs, UserArg};
use crate::commands::no_program;
use crate::raw_terminal::RawTerminal;
use crate::{exit, table, terminal};
use anyhow::Context as _;
use protocol::result::EXIT_INTERNAL;
use protocol::supervisor::TerminalSize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::ErrorKind;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// A process that is wanted.
#[derive(Debug, Clone, Serialize)]
pub struct Wanted {
    argv: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<String>,
    user: UserArg,
    env: BTreeMap<String, String>,
    stdin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pty: Option<Size>,
    limits: Limits,
    on_disconnect: &'static str,
    background: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<f64>,
}

/// A terminal's size, in characters, as the service reads it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Size {
    rows: u16,
    columns: u16,
}

impl From<TerminalSize> for Size {
    fn from(size: TerminalSize) -> Size {
        Size {
            rows: size.rows,
            columns: size.columns,
        }
    }
}

/// How it came to an end.
pub enum Ended {
    /// The program's own.
    ByItself(Exit),
    /// By a signal to this command.
    Stopped(u8),
}

/// A process of a sandbox.
#[derive(Clone)]
pub struct Process {
    /// Where.
    pub service: Service,
    /// Its path there.
    pub path: String,
}

/// Runs it and stays until it ends.
pub async fn run(
    service: Result<Service, ServiceError>,
    args: ExecArgs,
) -> anyhow::Result<ExitCode> {
    let tip = no_program::tip(&args.argv);
    let ended = async { execute(service?, args).await }.await;
    match ended {
        Err(error) if !is_broken_pipe(&error) => {
            let no_program = exit_code(&error);
            let tip = tip.filter(|_| no_program.is_some());
            terminal::say(format_args!("{error:#}{}", tip.unwrap_or_default()));
            let code = no_program.unwrap_or_else(|| exit::code(&error, EXIT_INTERNAL));
            Ok(ExitCode::from(code))
        }
        ended => ended,
    }
}

/// The exit code that a shell has for what the service refused, where the program is to blame.
fn exit_code(error: &anyhow::Error) -> Option<u8> {
    match error.downcast_ref()? {
        ServiceError::Refused(problem) => problem.exit_code,
        _ => None,
    }
}

/// Whoever read our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)
}

async fn execute(service: Service, args: ExecArgs) -> anyhow::Result<ExitCode> {
    let id = args.id.clone();
    if args.background {
        let path = format!("{}/processes", address::sandbox(&id));
        let wanted = wanted(args, None);
        let started: Started = off_thread(move || service.post(&path, &wanted)).await?;
        started.tell_walls();
        table::line(started.id)?;
        return Ok(ExitCode::SUCCESS);
    }
    let ended = match (args.tty, service.base.tls) {
        (true, Tls::Off) => {
            let raw = taken_terminal()?;
            let wanted = wanted(args, Some(&raw));
            tty::run(&service, &id, wanted, raw).await?
        }
        (true, Tls::On) => {
            let raw = taken_terminal()?;
            streamed(service, args, Some(raw)).await?
        }
        (false, _) => streamed(service, args, None).await?,
    };
    Ok(match ended {
        Ended::ByItself(exit) => {
            if let Some(sentence) = exit.sentence() {
                terminal::say(sentence);
            }
            ExitCode::from(exit.code())
        }
        Ended::Stopped(number) => ExitCode::from(128 + number),
    })
}

fn taken_terminal() -> anyhow::Result<RawTerminal> {
    let taken = RawTerminal::take().context("taking the terminal")?;
    taken.context("-t needs a terminal on both ends; -i feeds a pipe or a file")
}

fn wanted(args: ExecArgs, raw: Option<&RawTerminal>) -> Wanted {
    Wanted {
        argv: args.argv,
        cwd: args.cwd,
        user: args.user,
        env: args.env.into_iter().collect(),
        stdin: match args.interactive || raw.is_some() {
            true => "open",
            false => "empty",
        },
        pty: raw.map(|raw| raw.size().into()),
        limits: Limits {
            timeout: args.timeout.map(|time| time.as_secs_f64()),
        },
        on_disconnect: match args.background {
            true => "keep",
            false => "kill",
        },
        // A WebSocket follows what runs already.
        background: args.background,
    }
}

impl Wanted {
    /// The same, answered at once.
    pub fn in_background(self) -> Wanted {
        Wanted {
            background: true,
            ..self
        }
    }
}

/// Over plain HTTP: pipes, and a terminal where a WebSocket has no TLS.
async fn streamed(
    service: Service,
    args: ExecArgs,
    raw: Option<RawTerminal>,
) -> anyhow::Result<Ended> {
    let mut interrupts = Interrupts::listen()?;
    let id = args.id.clone();
    let feeds = args.interactive || raw.is_some();
    let wanted = wanted(args, raw.as_ref());
    let path = format!("{}/processes", address::sandbox(&id));
    let asked = service.clone();
    let mut told = told::tell(move || asked.post_for_lines(&path, &wanted));
    let number = tokio::select! {
        number = started(&mut told) => number?,
        number = interrupts.next() => return Ok(Ended::Stopped(number)),
    };
    let process = Process {
        path: address::process(&id, number),
        service,
    };
    let shown = match raw {
        Some(_) => Shown::as_it_is(),
        None => Shown::for_people(),
    };
    let exit = tokio::select! {
        exit = print(told, shown) => exit?,
        never = process.fed(), if feeds => match never? {},
        never = process.sized(raw.as_ref()) => match never? {},
        stopped = process.signalled(interrupts) => match stopped {
            Ok(never) => match never {},
            Err(error) => return Err(error.into()),
        },
    };
    process.forget().await;
    Ok(Ended::ByItself(exit))
}

/// The number of the process that the first line tells of.
async fn started(told: &mut Telling) -> Result<u32, ServiceError> {
    loop {
        match told.recv().await {
            Some(Ok(Told::Started(started))) => {
                started.tell_walls();
                return Ok(started.id);
            }
            Some(Ok(Told::Error(problem))) => return Err(ServiceError::Refused(problem)),
            Some(Ok(Told::Alive)) => {}
            Some(Err(error)) => return Err(error),
            Some(Ok(Told::Output(_) | Told::Exit(_))) | None => {
                let what = "it does not say what was started".to_owned();
                return Err(ServiceError::Cut(what));
            }
        }
    }
}

/// Writes what comes, to the process' end. A reader that is gone ends it.
async fn print(mut told: Telling, mut shown: Shown) -> anyhow::Result<Exit> {
    while let Some(told) = told.recv().await {
        match told? {
            Told::Output(output) => shown.write(output)?,
            Told::Exit(exit) => {
                shown.finish()?;
                return Ok(exit);
            }
            Told::Error(problem) => return Err(ServiceError::Refused(problem).into()),
            Told::Started(_) | Told::Alive => {}
        }
    }
    Err(ServiceError::Cut("how the process ended is not known".to_owned()).into())
}

impl Process {
    /// Passes on what is typed or piped; never comes back but with an error.
    async fn fed(&self) -> Result<Infallible, ServiceError> {
        let process = self.clone();
        off_thread(move || feed(&process.service, &format!("{}/stdin", process.path))).await?;
        std::future::pending().await
    }

    /// Tells the program when the user's terminal has another size.
    async fn sized(&self, raw: Option<&RawTerminal>) -> anyhow::Result<Infallible> {
        let Some(raw) = raw else {
            return std::future::pending().await;
        };
        let mut changes = signal(SignalKind::window_change()).context("SIGWINCH")?;
        while changes.recv().await.is_some() {
            let (process, size) = (self.clone(), Size::from(raw.size()));
            let path = format!("{}/resize", process.path);
            off_thread(move || process.service.tell(&path, &size)).await?;
        }
        std::future::pending().await
    }

    /// Sends on the signals that this command gets.
    async fn signalled(&self, mut interrupts: Interrupts) -> Result<Infallible, ServiceError> {
        loop {
            let number = interrupts.next().await;
            let stopped: Stopped = interrupts.of_process(number);
            let process = self.clone();
            let path = format!("{}/signal", process.path);
            match off_thread(move || process.service.tell(&path, &stopped)).await {
                // Its last words are on their way.
                Err(ServiceError::Refused(problem)) if problem.code == "process_ended" => {}
                Err(error) => return Err(error),
                Ok(()) => {}
            }
        }
    }

    /// Has the sandbox forget it, which keeps a bounded number; one that is gone with its sandbox is forgotten.
    pub async fn forget(&self) {
        let process = self.clone();
        let _ = off_thread(move || process.service.delete(&process.path)).await;
    }
}
