//! What is told of a context and its cells.
//!
//! | event | says |
//! |---|---|
//! | `renewed` | a new interpreter: variables are gone |
//! | `begun` | a cell runs |
//! | `output` | it printed; `late`: what a cell that is over left behind did, or nobody knows which (`cell` is null) |
//! | `display`, `result` | a value was shown; it is that of the last expression |
//! | `error` | what a cell did not catch |
//! | `end` | a cell is over; nothing comes after it, where one cell is followed |
//! | `lost` | the interpreter ended between cells |

use super::exit::ExitBody;
use super::told::Telling;
use crate::execute::common::ErrorInfoBody;
use crate::execute::response::{IsolationBody, TimingsBody};
use crate::written::{Base64, Text};
use sandbox::live::LiveSandbox;
use sandbox::live::contexts::{
    Bundle, CellEnd, CellNumber, CellStream, ContextEvent, Lost, Origin, Shown, Stop,
};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// One thing that is told, and its number: a client that comes back asks from `next_offset` on.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellTold {
    /// Its number among all that is told of the context.
    pub offset: u64,
    /// Where to go on.
    pub next_offset: u64,
    /// Which cell's it is.
    pub cell: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum What {
    /// It was printed.
    Output(PrintedBody),
    /// It was shown.
    Shown(ShownBody),
    /// It was not caught.
    Error(CellErrorBody),
    /// It is over.
    End(CellEndBody),
    /// The interpreter ended between cells.
    Lost(LostBody),
    /// `begun` and `renewed` say no more.
    Plain(PlainBody),
}

/// An event that says no more than its name.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlainBody {
    #[serde(skip)]
    name: &'static str,
}

/// What was printed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrintedBody {
    /// Printed by what a cell that is over left behind.
    pub late: bool,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// As text; bytes that are no UTF-8 replaced.
    #[schema(value_type = String)]
    pub data: Text,
    /// The same as base64, when it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub base64: Option<Base64>,
}

/// A value that was shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownBody {
    /// `display` or `result`.
    #[serde(rename = "shown")]
    pub kind: &'static str,
    /// Shown by what a cell that is over left behind.
    pub late: bool,
    /// MIME type → data: text, or base64.
    pub data: Bundle,
}

/// An error that a cell did not catch.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellErrorBody {
    /// Its class.
    pub name: String,
    /// Its message.
    pub value: String,
    /// Its traceback.
    pub traceback: String,
}

/// How a cell ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellEndBody {
    /// `ok`, `error`, `timeout`, `oom` or `killed`.
    pub status: &'static str,
    /// What it would have exited with as a program.
    pub exit_code: Option<i32>,
    /// What stopped it: `interrupt`, `timeout`, `output` or `context`.
    pub stopped: Option<&'static str>,
    /// What became of the interpreter with all variables; `null`: they are there for the next cell.
    pub lost: Option<LostBody>,
    /// Seconds that it ran.
    #[serde(serialize_with = "protocol::result::micros")]
    pub exec_time: f64,
    /// What held it.
    pub isolation: IsolationBody,
}

/// What became of an interpreter. The next cell finds a new one.
#[derive(Debug, Serialize, ToSchema)]
pub struct LostBody {
    /// `ended`, `not_interruptible`, `silent`, `misbehaved`, `not_started`, `restarted` or `sandbox_gone`.
    pub reason: &'static str,
    /// In one sentence.
    pub detail: String,
    /// How its process ended, where it ended by itself.
    pub exit: Option<ExitBody>,
}

impl CellTold {
    /// Of an event and its number.
    pub fn of(live: &LiveSandbox, number: u64, event: &ContextEvent) -> CellTold {
        CellTold {
            offset: number,
            next_offset: number + 1,
            cell: event.cell(),
            what: What::of(live, event),
        }
    }
}

impl What {
    fn of(live: &LiveSandbox, event: &ContextEvent) -> What {
        match event {
            ContextEvent::Renewed => What::Plain(PlainBody { name: "renewed" }),
            ContextEvent::Begun(_) => What::Plain(PlainBody { name: "begun" }),
            ContextEvent::Printed {
                origin,
                stream,
                data,
            } => {
                let data = Text::from(data.clone());
                What::Output(PrintedBody {
                    late: is_late(*origin),
                    stream: stream_name(*stream),
                    base64: data.as_base64(),
                    data,
                })
            }
            ContextEvent::Shown {
                origin,
                shown,
                data,
            } => What::Shown(ShownBody {
                kind: match shown {
                    Shown::Display => "display",
                    Shown::Result => "result",
                },
                late: is_late(*origin),
                data: data.clone(),
            }),
            ContextEvent::Raised(_, error) => What::Error(CellErrorBody {
                name: error.name.clone(),
                value: error.value.clone(),
                traceback: error.traceback.clone(),
            }),
            ContextEvent::Ended(_, end) => What::End(CellEndBody::of(live, end)),
            ContextEvent::Lost(lost) => What::Lost(LostBody::of(live, lost)),
        }
    }
}

impl Telling for CellTold {
    fn name(&self) -> &'static str {
        match &self.what {
            What::Output(_) => "output",
            What::Shown(shown) => shown.kind,
            What::Error(_) => "error",
            What::End(_) => "end",
            What::Lost(_) => "lost",
            What::Plain(plain) => plain.name,
        }
    }

    fn next_offset(&self) -> Option<u64> {
        Some(self.next_offset)
    }
}

fn is_late(origin: Origin) -> bool {
    !matches!(origin, Origin::Running(_))
}

/// Whose it is, unless it is a running cell's.
pub fn late_cell(origin: Origin) -> Option<Option<CellNumber>> {
    match origin {
        Origin::Running(_) => None,
        Origin::Late(cell) => Some(Some(cell)),
        Origin::Context => Some(None),
    }
}

/// An output's name.
pub fn stream_name(stream: CellStream) -> &'static str {
    match stream {
        CellStream::Stdout => "stdout",
        CellStream::Stderr => "stderr",
    }
}

impl CellEndBody {
    /// In the words that jobs have for it.
    pub fn of(live: &LiveSandbox, end: &CellEnd) -> CellEndBody {
        let lost = end.lost.as_ref().map(|lost| LostBody::of(live, lost));
        let exit = lost.as_ref().and_then(|lost| lost.exit.as_ref());
        let status = match (end.stopped, exit, end.exit_code) {
            (Some(Stop::Timeout), ..) => "timeout",
            (Some(Stop::Output), ..) => "killed",
            (_, Some(exit), _) => exit.status,
            (_, None, Some(0)) => "ok",
            (_, None, Some(_)) => "error",
            (Some(Stop::Interrupt), None, None) => "error",
            (_, None, None) => "killed",
        };
        CellEndBody {
            status,
            exit_code: match exit {
                Some(exit) => exit.exit_code,
                None => end.exit_code.map(i32::from),
            },
            stopped: end.stopped.map(|stop| match stop {
                Stop::Interrupt => "interrupt",
                Stop::Timeout => "timeout",
                Stop::Output => "output",
                Stop::Context => "context",
            }),
            exec_time: end.wall.as_secs_f64(),
            isolation: live.isolation().into(),
            lost,
        }
    }
}

impl CellEndBody {
    /// Why it is not `ok`: what it did not catch, else how it ended.
    pub fn error_info(&self, raised: Option<&CellErrorBody>) -> Option<ErrorInfoBody> {
        let raised = raised.map(|raised| ErrorInfoBody {
            code: None,
            name: raised.name.clone(),
            value: raised.value.clone(),
            traceback: raised.traceback.clone(),
        });
        let is_ok = self.status == "ok";
        raised.or_else(|| (!is_ok).then(|| ErrorInfoBody::of_end(self.status, self.sentence())))
    }

    fn sentence(&self) -> String {
        match (&self.lost, self.stopped, self.exit_code) {
            (Some(lost), ..) => lost.detail.clone(),
            (None, Some(stopped), _) => format!("stopped: {stopped}"),
            (None, None, Some(code)) => format!("exited with {code}"),
            (None, None, None) => format!("ended: {}", self.status),
        }
    }

    /// Its wall times; nothing is booted or compiled for it.
    pub fn timings(&self, queue: Duration, total: Duration) -> TimingsBody {
        TimingsBody {
            queue: queue.as_secs_f64(),
            boot: 0.0,
            compile: 0.0,
            execute: self.exec_time,
            total: total.as_secs_f64(),
            path: None,
            zygote: true,
        }
    }
}

impl LostBody {
    fn of(live: &LiveSandbox, lost: &Lost) -> LostBody {
        let (reason, detail) = match lost {
            Lost::Ended(_) => ("ended", "the interpreter's process ended".to_owned()),
            Lost::Stubborn => (
                "not_interruptible",
                "the program did not end when it was interrupted".to_owned(),
            ),
            Lost::Silent => (
                "silent",
                "the interpreter did not begin the cell".to_owned(),
            ),
            Lost::Nonsense(nonsense) => ("misbehaved", format!("the interpreter: {nonsense}")),
            Lost::NotStarted(why) => ("not_started", super::failure::plain(why)),
            Lost::Restarted => (
                "restarted",
                "the context was restarted or deleted".to_owned(),
            ),
            Lost::Gone(_) => ("sandbox_gone", "the sandbox ended".to_owned()),
        };
        LostBody {
            reason,
            detail: format!(
                "{detail}; variables are lost, files stay, the next cell finds a new interpreter"
            ),
            exit: match lost {
                Lost::Ended(report) => Some(ExitBody::of(live, (**report).clone())),
                _ => None,
            },
        }
    }
}
