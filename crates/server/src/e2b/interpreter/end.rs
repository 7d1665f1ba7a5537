//! The error that a cell ended with, for clients that know no other end than an error and none. Pure. Where E2B has a name
//! for what happened, it is E2B's.

use super::line::ErrorBody;
use crate::sandboxes::failure::plain;
use protocol::supervisor::ProcessReport;
use protocol::wire::{self, LimitName};
use sandbox::live::contexts::{CellEnd, Lost, RaisedError, Stop};

/// How a cell's answer ends.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its last line; before it, maybe, an error.
    Told(Option<ErrorBody>),
    /// In the middle: the sandbox is gone, and its clients look for it when their answer is cut.
    Cut,
}

impl Ending {
    /// Of how the cell ended and what it did not catch.
    pub fn of(end: &CellEnd, raised: Option<&RaisedError>) -> Ending {
        if matches!(end.lost, Some(Lost::Gone(_))) {
            return Ending::Cut;
        }
        let stopped = stopped(end).map(|(name, value)| ErrorBody {
            name: name.into(),
            value,
            // Where it was then.
            traceback: raised.map_or_else(String::new, |raised| raised.traceback.clone()),
        });
        Ending::Told(stopped.or_else(|| raised.map(own)).or_else(|| exit(end)))
    }
}

/// What others did to it, by name and in a sentence.
fn stopped(end: &CellEnd) -> Option<(&'static str, String)> {
    let (name, value) = match (end.stopped, &end.lost) {
        (Some(Stop::Timeout), _) => ("ExecutionTimeout", "the cell ran for too long".to_owned()),
        (Some(Stop::Output), _) => (
            "OutputLimitExceeded",
            "the cell printed and showed too much".to_owned(),
        ),
        (Some(Stop::Context), _) | (_, Some(Lost::Restarted)) => {
            ("ContextRestarting", "Context was restarted".to_owned())
        }
        (_, Some(Lost::Ended(report))) => ("UnexpectedEndOfExecution", ended(report)),
        (_, Some(Lost::NotStarted(why))) => ("ContextNotStarted", plain(why)),
        (_, Some(Lost::Stubborn | Lost::Silent)) => (
            "UnexpectedEndOfExecution",
            "the interpreter did not answer and was ended".to_owned(),
        ),
        (_, Some(Lost::Nonsense(nonsense))) => (
            "UnexpectedEndOfExecution",
            format!("the interpreter: {nonsense}"),
        ),
        (_, Some(Lost::Gone(_)) | None) => return None,
    };
    Some((name, value))
}

fn ended(report: &ProcessReport) -> String {
    let why = match report.ending {
        wire::Ending::Limit {
            limit: LimitName::Memory,
            ..
        } => "took more memory than there is, and was ended",
        _ => "ended before the cell did",
    };
    format!("the interpreter {why}")
}

fn own(raised: &RaisedError) -> ErrorBody {
    ErrorBody {
        name: raised.name.clone(),
        value: raised.value.clone(),
        traceback: raised.traceback.clone(),
    }
}

/// Of a cell that ended by itself, with a status that is none of success.
fn exit(end: &CellEnd) -> Option<ErrorBody> {
    let (name, value) = match (end.exit_code, end.stopped) {
        (Some(0), _) => return None,
        (Some(code), None) => ("SystemExit", code.to_string()),
        (_, _) => ("ExecutionAborted", "Execution was aborted".to_owned()),
    };
    Some(ErrorBody {
        name: name.into(),
        value,
        traceback: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn end(exit_code: Option<u8>, stopped: Option<Stop>, lost: Option<Lost>) -> CellEnd {
        CellEnd {
            exit_code,
            stopped,
            lost,
            wall: Duration::ZERO,
        }
    }

    #[test]
    fn each_end_is_an_error_or_none() {
        let raised = RaisedError {
            name: "KeyboardInterrupt".into(),
            value: String::new(),
            traceback: "line 1".into(),
        };
        let not_started = Lost::NotStarted("no\nsuch folder".into());
        for (end, raised, name, value) in [
            (
                end(Some(1), None, None),
                Some(&raised),
                "KeyboardInterrupt",
                "",
            ),
            (end(Some(3), None, None), None, "SystemExit", "3"),
            (
                end(Some(1), Some(Stop::Timeout), None),
                Some(&raised),
                "ExecutionTimeout",
                "the cell ran for too long",
            ),
            (
                end(Some(130), Some(Stop::Interrupt), None),
                None,
                "ExecutionAborted",
                "Execution was aborted",
            ),
            (
                end(None, Some(Stop::Interrupt), None),
                None,
                "ExecutionAborted",
                "Execution was aborted",
            ),
            (
                end(None, Some(Stop::Context), Some(Lost::Restarted)),
                None,
                "ContextRestarting",
                "Context was restarted",
            ),
            (
                end(None, None, Some(not_started)),
                None,
                "ContextNotStarted",
                "no such folder",
            ),
            (
                end(None, None, Some(Lost::Silent)),
                None,
                "UnexpectedEndOfExecution",
                "the interpreter did not answer and was ended",
            ),
        ] {
            let Ending::Told(Some(error)) = Ending::of(&end, raised) else {
                panic!("{end:?}");
            };
            assert_eq!((&*error.name, &*error.value), (name, value));
            let traceback = raised.map_or("", |raised| &raised.traceback);
            assert_eq!(error.traceback, traceback);
        }
        assert_eq!(
            Ending::of(&end(Some(0), None, None), None),
            Ending::Told(None)
        );
        let gone = end(None, Some(Stop::Context), Some(Lost::Gone("x".into())));
        assert_eq!(Ending::of(&gone, None), Ending::Cut);
    }
}
