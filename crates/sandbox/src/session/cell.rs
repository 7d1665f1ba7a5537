//! A program that keeps its variables: a cell of the session's context.

use super::Ran;
use super::files::absolute;
use crate::drive::{Heard, JobIo, interrupted, pass_on};
use crate::error::{JobError, Why};
use crate::live::contexts::{
    Accepted, Cell, CellEnd, CellStream, ContextEvent, ContextSpec, Contexts, Lost, MAX_CELL_BYTES,
    Origin, Stop,
};
use crate::live::{LiveError, LiveSandbox, OutputKind, OutputPiece, ProcessReport};
use crate::missing_module::tip;
use crate::outcome::{JobReport, TalkEnd};
use protocol::environment::WORK_DIR;
use protocol::job::Job;
use protocol::wire::{Ending, LimitName, Phase, SessionError, SessionReport};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep_until};

/// Signals that a program was ended by.
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;

/// An interrupt that was asked for before the program ran waits for it, and so long besides: an interpreter that has just
/// said that a program begins may not look out for signals yet (Node's does some milliseconds later).
const UNDER_WAY: Duration = Duration::from_millis(100);

/// An interrupt of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interrupt {
    NotAsked,
    /// It waits for the program to begin.
    Waiting,
    Due(Instant),
}

impl Interrupt {
    async fn is_due(self) {
        match self {
            Interrupt::Due(at) => sleep_until(at).await,
            Interrupt::NotAsked | Interrupt::Waiting => std::future::pending().await,
        }
    }
}

/// What is heard of one cell.
struct Listener<'a> {
    job: &'a Job,
    io: &'a mut JobIo,
    heard: Heard,
    results: Vec<BTreeMap<String, String>>,
    error: Option<SessionError>,
    /// Bytes that programs before this one printed meanwhile.
    late_bytes: usize,
}

/// Runs it in the context of the job's language.
pub(super) async fn run(live: &LiveSandbox, contexts: &Contexts, job: &Job, io: &mut JobIo) -> Ran {
    if let Err(error) = put_files(live, job).await {
        let end = match error {
            LiveError::Gone(_) => TalkEnd::Failed(Why::Gone.into()),
            error => TalkEnd::Refused(error.to_string()),
        };
        return Ran::of(Heard::default(), end);
    }
    let stdin = match &mut io.stdin {
        Some(stdin) => read_whole(stdin).await,
        None => Vec::new(),
    };
    match accept(contexts, job, stdin) {
        Ok((id, accepted)) => {
            let mut listener = Listener {
                job,
                io,
                heard: Heard::default(),
                results: Vec::new(),
                error: None,
                late_bytes: 0,
            };
            match listener.hear(contexts, id, accepted).await {
                Ok(end) => listener.ran(end),
                Err(error) => Ran::failed(error),
            }
        }
        Err(LiveError::Gone(_)) => Ran::failed(Why::Gone.into()),
        Err(error) => Ran::of(Heard::default(), TalkEnd::Refused(error.to_string())),
    }
}

/// Has the interpreter of a language that keeps variables loaded before its first program: nobody waits for this.
pub(super) fn warm_up(contexts: &Contexts, job: &Job) {
    // Where it cannot be had, the first program says so.
    if let Ok(context) = contexts.default_of(spec(job)) {
        let nothing = Cell {
            timeout: job.limits.timeout,
            output_bytes: usize::MAX,
            ..Cell::default()
        };
        let _ = contexts.execute(context.id, nothing);
    }
}

fn spec(job: &Job) -> ContextSpec {
    ContextSpec {
        language: job.language,
        cwd: WORK_DIR.into(),
        env: Vec::new(),
        limits: crate::drive::standing_limits(job),
    }
}

async fn put_files(live: &LiveSandbox, job: &Job) -> Result<(), LiveError> {
    for file in &job.files {
        let mut writer = live.write_file(&absolute(&file.path)).await?;
        writer.write(&file.data.0).await?;
        writer.finish().await?;
    }
    Ok(())
}

async fn read_whole(stdin: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A stdin that cannot be read any further ends there.
    let _ = stdin
        .take(MAX_CELL_BYTES as u64)
        .read_to_end(&mut bytes)
        .await;
    bytes
}

fn accept(contexts: &Contexts, job: &Job, stdin: Vec<u8>) -> Result<(u32, Accepted), LiveError> {
    let context = contexts.default_of(spec(job))?;
    let cell = Cell {
        code: job.code.clone(),
        args: job.args.clone(),
        env: job.env.clone(),
        stdin,
        timeout: job.limits.timeout,
        // It is cut here, and goes on.
        output_bytes: usize::MAX,
        ..Cell::default()
    };
    Ok((context.id, contexts.execute(context.id, cell)?))
}

impl Listener<'_> {
    /// Hears the cell to its end.
    async fn hear(
        &mut self,
        contexts: &Contexts,
        id: u32,
        accepted: Accepted,
    ) -> Result<CellEnd, JobError> {
        let Accepted { cell, mut events } = accepted;
        let mut interrupt = Interrupt::NotAsked;
        loop {
            let next = tokio::select! {
                biased;
                next = events.next() => next,
                () = interrupted(&mut self.io.interrupts) => {
                    interrupt = match self.heard.phase {
                        Some(_) => Interrupt::Due(Instant::now()),
                        None => Interrupt::Waiting,
                    };
                    continue;
                }
                () = interrupt.is_due() => {
                    interrupt = Interrupt::NotAsked;
                    // A context that is gone says so by its end.
                    let _ = contexts.interrupt(id, Some(cell)).await;
                    continue;
                }
            };
            let Some((_, event)) = next else {
                return Err(Why::Gone.into());
            };
            match &*event {
                ContextEvent::Begun(own) if *own == cell => {
                    self.heard.begin(Phase::Execute);
                    if interrupt == Interrupt::Waiting {
                        interrupt = Interrupt::Due(Instant::now() + UNDER_WAY);
                    }
                }
                ContextEvent::Ended(own, end) if *own == cell => return Ok(end.clone()),
                ContextEvent::Raised(own, error) if *own == cell => {
                    self.error = Some(SessionError {
                        name: error.name.clone(),
                        value: error.value.clone(),
                        traceback: error.traceback.clone(),
                    });
                }
                ContextEvent::Printed {
                    origin,
                    stream,
                    data,
                } => match *origin == Origin::Running(cell) {
                    true => self.printed(*stream, data).await?,
                    false => self.late_bytes += data.len(),
                },
                ContextEvent::Shown { origin, data, .. } if *origin == Origin::Running(cell) => {
                    self.results.push(data.clone());
                }
                _ => {}
            }
        }
    }

    async fn printed(&mut self, stream: CellStream, data: &[u8]) -> Result<(), JobError> {
        let kind = match stream {
            CellStream::Stdout => OutputKind::Stdout,
            CellStream::Stderr => OutputKind::Stderr,
        };
        let piece = OutputPiece {
            offset: 0,
            kind,
            data: data.to_vec(),
        };
        let Some(output) = self.heard.take(piece, self.job.limits.output_bytes) else {
            return Ok(());
        };
        let passed = pass_on(self.io.output.as_ref(), output).await;
        passed.map_err(|_| Why::Abandoned.into())
    }

    fn ran(self, end: CellEnd) -> Ran {
        let lost = end.lost.is_some();
        if let Some(Lost::Gone(_)) = end.lost {
            return Ran::failed(Why::Gone.into());
        }
        let report = JobReport {
            executed: Some(self.report(&end)),
            zygote: true,
            ..JobReport::default()
        };
        let raised = self.error.as_ref();
        let raised = raised.map(|error| format!("{}: {}", error.name, error.value));
        let tip = raised.and_then(|words| tip(self.job.language, words.as_bytes()));
        let mut notes: Vec<String> = tip.into_iter().collect();
        if lost {
            notes.push(
                "the session's interpreter has ended: its variables are gone, its files are there"
                    .into(),
            );
        }
        if self.late_bytes > 0 {
            notes.push(format!(
                "{} bytes that earlier programs of the session printed meanwhile were left out",
                self.late_bytes
            ));
        }
        Ran {
            heard: self.heard,
            end: TalkEnd::Report(Box::new(report)),
            report: Some(SessionReport {
                results: self.results,
                error: self.error,
                lost,
            }),
            notes,
        }
    }

    /// The cell's end as a process' own would be.
    fn report(&self, end: &CellEnd) -> ProcessReport {
        let plain = |ending, exit_code, signal| ProcessReport {
            ending,
            exit_code,
            signal,
            wall_micros: end.wall.as_micros() as u64,
            cpu_micros: 0,
            memory_peak_bytes: 0,
            pids_refused: 0,
            written_bytes: 0,
            stdout_truncated: false,
            stderr_truncated: false,
        };
        let timed_out = Ending::Limit {
            limit: LimitName::WallTime,
            value: self.job.limits.timeout.as_millis() as u64,
        };
        match (end.stopped, &end.lost) {
            // It was interrupted, and its interpreter goes on.
            (Some(Stop::Timeout), None) => plain(timed_out, None, Some(SIGINT)),
            (Some(Stop::Timeout), _) => plain(timed_out, None, Some(SIGKILL)),
            (_, Some(Lost::Ended(report))) => ProcessReport {
                wall_micros: end.wall.as_micros() as u64,
                ..(**report).clone()
            },
            (_, Some(_)) => plain(Ending::Exited, None, Some(SIGKILL)),
            (_, None) => plain(Ending::Exited, end.exit_code.map(i32::from), None),
        }
    }
}
