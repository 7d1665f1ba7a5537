//! What a process writes, as a stream of the Connect protocol: its start, its output, its end. What is on its way is one
//! piece, so who reads slowly slows the process; who goes ends nothing.

use super::connect::{ConnectCode, ConnectError, end, end_with, message, stream_headers};
use super::cut_off;
use super::registry::Following;
use crate::memory::Held;
use crate::sandboxes::follow::Audience;
use crate::sandboxes::table::UsedSandbox;
use crate::sse::KEEP_ALIVE;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::supervisor::{OutputKind, ProcessReport};
use protocol::wire::{Ending, LimitName};
use sandbox::live::{LiveError, Output, OutputPiece, ProcessInfo};
use serde::Serialize;
use serde_json::json;
use std::convert::Infallible;
use tokio::time::{Instant, timeout};

/// How long it is followed.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// Until it is over, by this audience.
    Over(Audience),
    /// Until it is over or this moment comes.
    Time(Instant),
}

/// How far it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// That it runs is next.
    Start,
    /// More output may come.
    Output,
    /// All of it is told; how it ended is next.
    End,
    /// The stream's own end is next.
    Close,
    /// All is told.
    Over,
}

/// A stream under way.
pub struct Follow {
    used: UsedSandbox,
    process: ProcessInfo,
    output: Output,
    until: Until,
    stage: Stage,
    _following: Following,
    /// The room of the piece that was handed over last.
    held: Held,
}

/// How a process ended, in the daemon's words.
#[derive(Debug, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct EndEvent {
    exit_code: i32,
    exited: bool,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl EndEvent {
    fn of(report: &ProcessReport) -> EndEvent {
        let status = match (report.exit_code, report.signal) {
            (Some(code), None) => format!("exit status {code}"),
            (_, Some(libc::SIGKILL)) | (None, None) => "signal: killed".to_owned(),
            (_, Some(libc::SIGTERM)) => "signal: terminated".to_owned(),
            (_, Some(signal)) => format!("signal: {signal}"),
        };
        let why = match &report.ending {
            Ending::Exited if report.exit_code == Some(0) => None,
            Ending::Exited => Some(status.clone()),
            Ending::Limit { .. } => Some(format!("{status} (a limit was reached)")),
            Ending::ForbiddenSyscall { .. } => Some(format!("{status} (forbidden system call)")),
        };
        EndEvent {
            exit_code: report.exit_code.unwrap_or(-1),
            exited: report.exit_code.is_some(),
            status,
            error: why,
        }
    }
}

impl Follow {
    /// Of this process and its output.
    pub fn new(
        used: UsedSandbox,
        (process, output): (ProcessInfo, Output),
        following: Following,
        until: Until,
    ) -> Follow {
        Follow {
            used,
            process,
            output,
            until,
            stage: Stage::Start,
            _following: following,
            held: Held::default(),
        }
    }

    /// The answer.
    pub fn respond(self) -> Response {
        let events = futures_util::stream::unfold(self, |mut follow| async {
            let next = follow.next().await?;
            Some((Ok::<_, Infallible>(next), follow))
        });
        (stream_headers(), Body::from_stream(events)).into_response()
    }

    async fn next(&mut self) -> Option<Bytes> {
        self.held = Held::default();
        let told = timeout(KEEP_ALIVE, self.told()).await;
        let bytes = match told {
            Ok(told) => told?,
            Err(_) => return Some(message(&json!({"event": {"keepalive": {}}}))),
        };
        self.held = self.used.app.memory.answer(bytes.len() as u64).await;
        Some(bytes)
    }

    /// What is to be told next; `None`: nothing more. Cancel-safe.
    async fn told(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Start => {
                self.stage = Stage::Output;
                Some(message(
                    &json!({"event": {"start": {"pid": self.process.pid}}}),
                ))
            }
            Stage::Output => self.piece().await,
            Stage::End => Some(self.ended().await),
            Stage::Close => {
                self.stage = Stage::Over;
                Some(end())
            }
            Stage::Over => None,
        }
    }

    async fn piece(&mut self) -> Option<Bytes> {
        let draining = &self.used.app.draining;
        let piece = match self.until {
            Until::Over(Audience::Starter) => Some(self.output.next().await),
            Until::Over(Audience::Onlooker) => {
                draining.run_until_cancelled(self.output.next()).await
            }
            Until::Time(at) => match tokio::time::timeout_at(at, self.output.next()).await {
                Ok(piece) => Some(piece),
                Err(_) => return Some(self.fails(deadline())),
            },
        };
        match piece? {
            Ok(Some(piece)) => Some(data(&piece)),
            Ok(None) => {
                self.stage = Stage::End;
                Some(self.ended().await)
            }
            Err(error) => Some(self.broken(error)),
        }
    }

    async fn ended(&mut self) -> Bytes {
        match self.used.live.wait_followed(self.process.id).await {
            Ok(report) if is_time(&report.ending) => self.fails(deadline()),
            Ok(report) => {
                self.stage = Stage::Close;
                message(&json!({"event": {"end": EndEvent::of(&report)}}))
            }
            Err(error) => self.broken(error),
        }
    }

    fn broken(&mut self, error: LiveError) -> Bytes {
        let error = cut_off(&self.used, error);
        self.fails(error)
    }

    fn fails(&mut self, error: ConnectError) -> Bytes {
        self.stage = Stage::Over;
        end_with(&error)
    }
}

fn deadline() -> ConnectError {
    ConnectError::new(ConnectCode::DeadlineExceeded, "context deadline exceeded")
}

/// Whether the time ended it that its client gave it.
fn is_time(ending: &Ending) -> bool {
    matches!(
        ending,
        Ending::Limit {
            limit: LimitName::WallTime,
            ..
        }
    )
}

fn data(piece: &OutputPiece) -> Bytes {
    let coded = STANDARD.encode(&piece.data);
    let kind = match piece.kind {
        OutputKind::Stderr => "stderr",
        OutputKind::Terminal => "pty",
        _ => "stdout",
    };
    message(&json!({"event": {"data": {kind: coded}}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_as_the_daemon_tells_it() {
        let report = |exit_code, signal| ProcessReport {
            ending: Ending::Exited,
            exit_code,
            signal,
            wall_micros: 0,
            cpu_micros: 0,
            memory_peak_bytes: 0,
            pids_refused: 0,
            written_bytes: 0,
            stdout_truncated: false,
            stderr_truncated: false,
        };
        for (exit_code, signal, expected) in [
            (
                Some(0),
                None,
                json!({"exitCode": 0, "exited": true, "status": "exit status 0"}),
            ),
            (
                Some(3),
                None,
                json!({"exitCode": 3, "exited": true, "status": "exit status 3", "error": "exit status 3"}),
            ),
            (
                None,
                Some(9),
                json!({"exitCode": -1, "exited": false, "status": "signal: killed", "error": "signal: killed"}),
            ),
        ] {
            let end = EndEvent::of(&report(exit_code, signal));
            assert_eq!(serde_json::to_value(end).unwrap(), expected);
        }
    }
}
