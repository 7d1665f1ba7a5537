//! Interpreters that stay: whose output is whose, what stays after each way to end, and one that talks nonsense.

mod endings;
mod order;
mod output;
mod waiting;
mod wishes;

use crate::host::Host;
use protocol::environment::WORK_DIR;
use protocol::job::JobRequest;
use protocol::language::{Language, named};
use protocol::supervisor::ProcessLimits;
use sandbox::live::LiveSandbox;
use sandbox::live::contexts::{
    Cell, CellEnd, CellNumber, CellStream, ContextEvent, ContextId, ContextSpec, Contexts, Lost,
    Origin, Shown, Stop,
};
use sandbox::sandbox::Sandbox;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// An interpreter's start on a loaded host.
const PATIENCE: Duration = Duration::from_secs(90);

struct Stay {
    contexts: Contexts,
    live: LiveSandbox,
    sandbox: Sandbox,
    _state: tempfile::TempDir,
}

/// What one cell came to.
#[derive(Debug)]
struct Told {
    stdout: String,
    stderr: String,
    /// What is no output of the cell's own: `text@cell`, or `text@-`.
    late: Vec<String>,
    results: Vec<String>,
    error: Option<String>,
    renewed: bool,
    end: CellEnd,
}

impl Stay {
    async fn begin(language: Language, name: &str, uid_base: u32) -> Option<Stay> {
        let state = tempfile::tempdir().unwrap();
        let host = Host::of_any_engine(state.path(), name, uid_base, "").await?;
        let sandbox = host.sandbox(|engine| engine);
        let live = open(&sandbox, language).await;
        Some(Stay {
            contexts: Contexts::new(live.clone()),
            live,
            sandbox,
            _state: state,
        })
    }

    fn context(&self, language: Language) -> ContextId {
        self.contexts.create(spec(language)).unwrap().id
    }

    async fn run(&self, context: ContextId, code: &str) -> Told {
        self.run_cell(context, cell(code)).await
    }

    async fn run_cell(&self, context: ContextId, cell: Cell) -> Told {
        let mut accepted = self.contexts.execute(context, cell).unwrap();
        let mut told = Told::default();
        loop {
            let next = timeout(PATIENCE, accepted.events.next()).await.unwrap();
            let (_, event) = next.unwrap();
            if told.take(accepted.cell, &event) {
                return told;
            }
        }
    }

    async fn end(self) {
        self.live.close().await;
        self.sandbox.close(Duration::from_secs(10)).await;
    }
}

async fn open(sandbox: &Sandbox, language: Language) -> LiveSandbox {
    let job = sandbox.admit(JobRequest {
        language: language.name().into(),
        code: "0".into(),
        ..JobRequest::default()
    });
    LiveSandbox::open(sandbox, &job.unwrap()).await.unwrap()
}

impl Default for Told {
    fn default() -> Told {
        Told {
            stdout: String::new(),
            stderr: String::new(),
            late: vec![],
            results: vec![],
            error: None,
            renewed: false,
            end: CellEnd {
                exit_code: None,
                stopped: None,
                lost: None,
                wall: Duration::ZERO,
            },
        }
    }
}

impl Told {
    /// Whether that was all.
    fn take(&mut self, cell: CellNumber, event: &ContextEvent) -> bool {
        match event {
            ContextEvent::Renewed => self.renewed = true,
            ContextEvent::Printed {
                origin,
                stream,
                data,
            } => {
                let text = String::from_utf8_lossy(data);
                match (origin, stream) {
                    (Origin::Running(own), stream) => {
                        assert_eq!(*own, cell);
                        match stream {
                            CellStream::Stdout => self.stdout += &text,
                            CellStream::Stderr => self.stderr += &text,
                        }
                    }
                    (Origin::Late(other), _) => self.late.push(format!("{}@{other}", text.trim())),
                    (Origin::Context, _) => self.late.push(format!("{}@-", text.trim())),
                }
            }
            ContextEvent::Shown { shown, data, .. } => {
                let mark = if *shown == Shown::Result {
                    ""
                } else {
                    "display "
                };
                self.results.push(format!("{mark}{}", data["text/plain"]));
            }
            ContextEvent::Raised(own, error) => {
                assert_eq!(*own, cell);
                self.error = Some(error.name.clone());
            }
            ContextEvent::Ended(own, end) if *own == cell => {
                self.end = end.clone();
                return true;
            }
            ContextEvent::Begun(_) | ContextEvent::Ended(..) | ContextEvent::Lost(_) => {}
        }
        false
    }
}

fn spec(language: Language) -> ContextSpec {
    ContextSpec {
        language,
        cwd: WORK_DIR.to_owned(),
        env: vec![],
        limits: ProcessLimits {
            wall_millis: 0,
            cpu_seconds: 0,
            memory_bytes: 128 << 20,
            pids: 64,
            file_size_bytes: 64 << 20,
            open_files: 256,
        },
    }
}

fn cell(code: &str) -> Cell {
    Cell {
        code: code.to_owned(),
        timeout: Duration::from_secs(30),
        output_bytes: 4 << 20,
        ..Cell::default()
    }
}

/// Code, stdout, the last result, what came late (of any cell).
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

async fn rows(stay: &Stay, context: ContextId, rows: &[Row]) {
    for (code, stdout, result, late) in rows {
        let told = stay.run(context, code).await;
        assert_eq!(told.stdout, *stdout, "{code}: {told:?}");
        let last = told.results.last().map_or("", String::as_str);
        assert_eq!(last, *result, "{code}: {told:?}");
        assert_eq!(told.late, *late, "{code}: {told:?}");
        assert_eq!(
            (&told.end.stopped, &told.end.lost),
            (&None, &None),
            "{code}: {told:?}"
        );
    }
}
