//! What must hold of one attack's end. Pure: a list of faults comes out, empty when it was contained.

mod time;

use crate::table::{Attack, Kind, Standing, limit_name};
use protocol::event::{Event, EventType};
use protocol::result::{JobResult, Status};
use sandbox::outcome;
pub use time::took_long_and_no_more;

/// The word that starts a line when a program got what it must not get.
const BREACH: &str = "BREACH";
/// How it goes on when not even root in the guest may get it.
const OF_HOST: &str = "BREACH OF HOST";

/// Ends that root in the guest may bring about: the guest is its own.
const ANY_END: &[Status] = &[
    Status::Ok,
    Status::Error,
    Status::Timeout,
    Status::Oom,
    Status::Killed,
    Status::Internal,
];

/// How one job of an attack ended.
#[derive(Debug)]
pub enum Ended {
    /// The request passed and was not run.
    Admitted,
    /// As every job: with a result.
    With(Box<JobResult>),
    /// A live sandbox that never began: why, as a result. Its VM's end is told, and no start.
    NotBegun(Box<JobResult>),
}

impl Ended {
    /// What came of it, if it was run.
    pub fn result(&self) -> Option<&JobResult> {
        match self {
            Ended::Admitted => None,
            Ended::With(result) | Ended::NotBegun(result) => Some(result),
        }
    }

    /// In one word.
    pub fn word(&self) -> &'static str {
        self.result()
            .map_or("admitted", |result| result.status.as_str())
    }

    /// In a few words.
    pub fn seen(&self) -> String {
        let Some(result) = self.result() else {
            return self.word().into();
        };
        let mut words = result.status.as_str().to_owned();
        if let Some(limit) = &result.limit {
            words.push_str(&format!(" ({})", limit_name(limit.name)));
        }
        if let Some(failure) = &result.failure {
            words.push_str(&format!(" [{}]", failure.code));
        }
        match (result.exit_code, result.signal) {
            (Some(code), _) if code != 0 => words.push_str(&format!(" exit {code}")),
            (None, Some(signal)) => words.push_str(&format!(" signal {signal}")),
            _ => {}
        }
        words
    }
}

/// The faults of a job's end, by its row.
pub fn faults(attack: &Attack, ended: &Ended) -> Vec<String> {
    let row = &attack.row;
    let mut faults = Vec::new();
    let expected = match attack.standing {
        Standing::Root => ANY_END.iter().any(|status| status.as_str() == ended.word()),
        Standing::Job => row.status.iter().any(|status| status == ended.word()),
    };
    if !expected {
        faults.push(format!("ended {}{}", ended.seen(), said(ended)));
    }
    let Some(result) = ended.result() else {
        return faults;
    };
    match attack.standing {
        Standing::Job => {
            faults.extend(details(attack, result));
            faults.extend(breaches(result));
        }
        Standing::Root => {
            faults.extend(not_tried(attack, result));
            faults.extend(lines_after(OF_HOST, result));
        }
    }
    faults.extend(time::overtime(attack, result));
    faults.extend(unsafe_texts(result));
    faults
}

/// What a result of an unexpected kind says for itself.
fn said(ended: &Ended) -> String {
    let Some(result) = ended.result() else {
        return String::new();
    };
    let reason = result
        .failure
        .as_ref()
        .map(|failure| failure.message.clone());
    let output = String::from_utf8_lossy(&result.stderr).into_owned();
    let text = reason.unwrap_or(output);
    let short: String = text
        .chars()
        .take(300)
        .flat_map(char::escape_debug)
        .collect();
    if short.is_empty() {
        return short;
    }
    format!(": {short}")
}

fn details(attack: &Attack, result: &JobResult) -> Vec<String> {
    let row = &attack.row;
    let mut faults = Vec::new();
    let hit = result.limit.as_ref().map(|limit| limit.name);
    if row.limit.is_some() && hit != row.limit {
        faults.push(format!("the limit was {hit:?}, not {:?}", row.limit));
    }
    if row.exit.is_some() && result.exit_code != row.exit {
        faults.push(format!("exit code {:?}", result.exit_code));
    }
    let code = result.failure.as_ref().map(|failure| failure.code.as_str());
    if !row.code.is_empty() && !row.code.iter().any(|known| Some(known.as_str()) == code) {
        faults.push(format!("error code {code:?}"));
    }
    faults.extend(not_printed(attack, result));
    let cut = match row.truncated.as_deref() {
        Some("stdout") => result.stdout_truncated,
        Some(_) => result.stderr_truncated,
        None => true,
    };
    if !cut {
        faults.push("the output was not cut".into());
    }
    faults
}

/// A program for root alone that came to its end says what it did: one that found nothing to attack has shown
/// nothing. What a VM's end swallowed cannot be asked for.
fn not_tried(attack: &Attack, result: &JobResult) -> Vec<String> {
    let ended_by_itself = matches!(result.status, Status::Ok | Status::Error);
    if !ended_by_itself || attack.row.standings.contains(&Standing::Job) {
        return Vec::new();
    }
    not_printed(attack, result)
}

fn not_printed(attack: &Attack, result: &JobResult) -> Vec<String> {
    let output = output(result);
    attack
        .row
        .prints
        .iter()
        .filter(|text| !output.contains(*text))
        .map(|text| format!("{text:?} was not printed"))
        .collect()
}

/// Everything that was printed, stdout first.
pub fn output(result: &JobResult) -> String {
    let stdout = String::from_utf8_lossy(&result.stdout);
    let stderr = String::from_utf8_lossy(&result.stderr);
    format!("{stdout}\n{stderr}")
}

/// Lines in which a program says that a wall gave way.
pub fn breaches(result: &JobResult) -> Vec<String> {
    lines_after(BREACH, result)
}

fn lines_after(start: &str, result: &JobResult) -> Vec<String> {
    output(result)
        .lines()
        .filter(|line| line.starts_with(start))
        .take(5)
        .map(|line| {
            line.chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect()
        })
        .collect()
}

/// What a person or a log gets to read may hold nothing that a terminal acts on.
fn unsafe_texts(result: &JobResult) -> Vec<String> {
    let failure = result
        .failure
        .as_ref()
        .map(|failure| failure.message.clone());
    let syscall = result
        .limit
        .as_ref()
        .and_then(|limit| limit.syscall.clone());
    [failure, syscall, Some(outcome::sentence(result))]
        .into_iter()
        .flatten()
        .chain(result.notes.iter().cloned())
        .filter(|text| text.chars().any(acts_on_terminals))
        .map(|text| {
            format!(
                "unescaped text {:?}",
                text.chars().take(80).collect::<String>()
            )
        })
        .take(1)
        .collect()
}

/// Control characters, and those that turn the direction of what follows (UAX #9).
fn acts_on_terminals(c: char) -> bool {
    let turns = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// Each admitted job has one start and one end of the right type, each refusal one event; every
/// internal failure says why.
pub fn event_faults(ended: &[Ended], events: &[Event]) -> Vec<String> {
    let results: Vec<&JobResult> = ended.iter().filter_map(Ended::result).collect();
    let not_begun = |ended: &&Ended| matches!(ended, Ended::NotBegun(_));
    let not_begun = ended.iter().filter(not_begun).count();
    // One that its VM refused had a start, and has an end.
    let refused =
        |result: &&&JobResult| result.status == Status::Rejected && result.timings.path.is_none();
    let count = |kind: EventType| {
        events
            .iter()
            .filter(|event| event.event_type == kind)
            .count()
    };
    let ends = [EventType::VmStop, EventType::VmTimeout, EventType::VmOom];
    let mut wanted = vec![
        (
            EventType::ValidationFail,
            results.iter().filter(refused).count(),
        ),
        (
            EventType::VmStart,
            results.iter().filter(|r| !refused(r)).count() - not_begun,
        ),
    ];
    for kind in ends {
        let of_kind = |r: &&&JobResult| !refused(r) && outcome::event_type(r) == kind;
        wanted.push((kind, results.iter().filter(of_kind).count()));
    }
    let mut faults: Vec<String> = wanted
        .into_iter()
        .filter(|(kind, number)| count(*kind) != *number)
        .map(|(kind, number)| format!("{} events {kind:?} instead of {number}", count(kind)))
        .collect();
    for event in events {
        if event.details.is_empty() || event.details.chars().any(acts_on_terminals) {
            faults.push(format!("the event's text {:?}", event.details));
        }
    }
    faults
}

/// Attacks that never reach a VM need no next job.
pub fn reaches_a_vm(attack: &Attack) -> bool {
    attack.kind != Kind::Doors
        || attack
            .row
            .status
            .iter()
            .any(|status| status != "rejected" && status != "admitted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::attacks;
    use protocol::error_code::ErrorCode;
    use protocol::result::Failure;
    use protocol::trace_id::TraceId;

    fn attack(name: &str) -> Attack {
        let all = attacks().unwrap();
        all.into_iter().find(|attack| attack.name == name).unwrap()
    }

    fn result(status: Status) -> JobResult {
        let failure = Failure {
            code: ErrorCode::GuestMisbehaved,
            message: "it broke the protocol".into(),
            field: None,
        };
        let mut result = JobResult::failed(TraceId::parse("t").unwrap(), status, failure);
        if status != Status::Internal {
            result.failure = None;
        }
        result
    }

    fn ended(result: JobResult) -> Ended {
        Ended::With(Box::new(result))
    }

    #[test]
    fn the_wrong_status_code_or_time_is_a_fault() {
        let length = attack("length-zero");
        assert!(faults(&length, &ended(result(Status::Internal))).is_empty());
        assert_eq!(faults(&length, &ended(result(Status::Ok))).len(), 2);
        let mut late = result(Status::Internal);
        late.timings.total = 9.0;
        assert!(faults(&length, &ended(late))[0].contains("9.0 s of 3.0 s"));
    }

    #[test]
    fn a_breach_counts_for_a_job_and_not_for_root() {
        let mut breached = result(Status::Ok);
        breached.stdout = b"refused x\nBREACH: mount: 0\n".to_vec();
        let seen = faults(&attack("mounts"), &ended(breached.clone()));
        assert_eq!(seen, ["BREACH: mount: 0"]);
        assert!(faults(&attack("mounts-as-root"), &ended(breached)).is_empty());
    }

    #[test]
    fn what_reaches_the_host_counts_for_root_and_so_does_what_was_not_tried() {
        let mut reached = result(Status::Ok);
        reached.stdout = b"BREACH OF HOST: a folder of its: 1\n".to_vec();
        for name in ["mounts", "mounts-as-root"] {
            assert_eq!(
                faults(&attack(name), &ended(reached.clone())).len(),
                1,
                "{name}"
            );
        }
        let disk = attack("disk-as-root");
        let nothing = faults(&disk, &ended(result(Status::Ok)));
        assert_eq!(nothing, ["\"tried to write\" was not printed"]);
        assert!(faults(&disk, &ended(result(Status::Internal))).is_empty());
    }

    #[test]
    fn texts_that_repaint_a_terminal_are_a_fault() {
        for text in ["\u{1b}[2J", "\u{202e}x", "\u{7}"] {
            let mut bad = result(Status::Internal);
            if let Some(failure) = &mut bad.failure {
                failure.message = text.into();
            }
            assert_eq!(
                faults(&attack("length-zero"), &ended(bad)).len(),
                1,
                "{text:?}"
            );
        }
    }

    #[test]
    fn one_start_and_one_end_are_wanted() {
        let event = |event_type| Event {
            timestamp: String::new(),
            event_type,
            trace_id: None,
            details: "x".into(),
            extra: Default::default(),
        };
        let jobs = [ended(result(Status::Timeout))];
        let good = [event(EventType::VmStart), event(EventType::VmTimeout)];
        assert!(event_faults(&jobs, &good).is_empty());
        let twice = [good[0].clone(), good[1].clone(), event(EventType::VmStop)];
        assert_eq!(event_faults(&jobs, &twice).len(), 1);
        assert_eq!(event_faults(&jobs, &good[..1]).len(), 1);
        assert_eq!(
            event_faults(&[ended(result(Status::Rejected))], &[]).len(),
            1
        );
        assert!(event_faults(&[Ended::Admitted], &[]).is_empty());
        let never = [Ended::NotBegun(Box::new(result(Status::Internal)))];
        assert!(event_faults(&never, &[event(EventType::VmStop)]).is_empty());
        assert_eq!(event_faults(&never, &[]).len(), 1);
    }
}
