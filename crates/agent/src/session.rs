//! A session: programs come one after another and find what those before them left.
//!
//! ```text
//!   python, node   one interpreter for all of them; between two it stands still (frozen)
//!      Run   order into /dev/session ─ its number on the orders' pipe ─ answer ─ frozen again
//!            its deadline passed, a limit, a crash: killed as a whole, the next gets a new one
//!   others         a cell for each, as without a session
//! ```
//!
//! The work folder stays in either case. The interpreter is confined as a job is, from before the
//! first program on.

use crate::answer::{Answer, Answers};
use crate::audit::KernelLog;
use crate::cell::Outcome;
use crate::cgroup;
use crate::channel::Channel;
use crate::devices::SESSION;
use crate::error::{AgentError, Step, complain};
use crate::pump::Pump;
use crate::report::{Seen, report, wall_limit};
use crate::waiting::WaitingRoom;
use crate::witnesses::OfJob;
use crate::zygote::Zygote;
use crate::{artifacts, job};
use protocol::wire::{GuestMessage, JobReport, Phase, RunRequest, SessionReport};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Bytes of an answer that are read at once.
const READ_BYTES: usize = 64 * 1024;

/// An interpreter that stays.
pub struct Session {
    interpreter: Zygote,
    seccomp_program: Vec<u64>,
    /// Orders so far.
    count: u64,
}

/// How an order was carried out.
enum Carried {
    /// The interpreter answered.
    Answered(Answer),
    /// It is gone, or its deadline passed.
    Ended { timed_out: bool },
}

/// Runs one program of a session; the session as it goes on.
pub fn run(
    request: &RunRequest,
    session: Option<Session>,
    waiting: &mut WaitingRoom,
    channel: &mut Channel,
) -> Result<Option<Session>, AgentError> {
    let session = session.filter(|session| session.suits(request));
    let session = match session {
        Some(session) => session,
        None => {
            let mut zygote = waiting.take();
            let Some(session) = Session::begin(request, &mut zygote)? else {
                job::run(request, zygote, channel)?;
                return Ok(None);
            };
            session
        }
    };
    job::room(request)?;
    if let Err(error) = job::put_inputs(request) {
        job::refused(error, channel)?;
        return Ok(Some(session));
    }
    let since = artifacts::now()?;
    let (mut report, session) = session.carry_out(request, channel)?;
    if request.collect_artifacts {
        let budget = request.limits.artifact_bytes;
        report.artifacts_truncated = artifacts::send_all(budget, since, channel)?;
    }
    channel.send(&GuestMessage::Finished(Box::new(report)))?;
    Ok(session)
}

impl Session {
    /// An interpreter for it; `None` for a language that has none.
    fn begin(
        request: &RunRequest,
        zygote: &mut Option<Zygote>,
    ) -> Result<Option<Session>, AgentError> {
        let waiting = zygote.take_if(|zygote| zygote.keeps_sessions() && zygote.suits(request));
        let interpreter = match waiting {
            Some(zygote) => Some(zygote),
            None => Zygote::for_session(request.language, &request.seccomp_program)?,
        };
        Ok(interpreter.map(|interpreter| Session {
            interpreter,
            seccomp_program: request.seccomp_program.clone(),
            count: 0,
        }))
    }

    /// A filter cannot be taken off again.
    fn suits(&self, request: &RunRequest) -> bool {
        self.interpreter.language() == request.language
            && self.seccomp_program == request.seccomp_program
    }

    fn carry_out(
        mut self,
        request: &RunRequest,
        channel: &mut Channel,
    ) -> Result<(JobReport, Option<Session>), AgentError> {
        let limits = &request.limits;
        let before = self.interpreter.cgroup.usage()?;
        self.interpreter
            .cgroup
            .limit(limits.memory_bytes, limits.pids)?;
        let mut log = KernelLog::follow();
        let mut pump = Pump::new(limits.output_bytes)?;
        channel.send(&GuestMessage::Started {
            phase: Phase::Execute,
        })?;
        channel.drain_to(0)?;
        let started = Instant::now();
        let deadline = started + Duration::from_millis(wall_limit(limits, Phase::Execute));
        pump.attach(&mut self.interpreter.waiting.cell);
        self.interpreter.cgroup.freeze(false)?;
        let carried = self.order(request, &mut pump, channel, deadline)?;
        let wall = started.elapsed();
        let (outcome, timed_out, session) = match carried {
            Carried::Answered(answer) => {
                self.interpreter.cgroup.freeze(true)?;
                let outcome = Outcome::Ended(i32::from(answer.exit_code) << 8);
                (outcome, false, answer.into_report())
            }
            Carried::Ended { timed_out } => {
                if timed_out {
                    self.interpreter.cgroup.kill()?;
                }
                (self.interpreter.waiting.cell.outcome()?, timed_out, lost())
            }
        };
        pump.stdout.finish(channel)?;
        pump.stderr.finish(channel)?;
        pump.detach(&mut self.interpreter.waiting.cell);
        let seen = Seen {
            request,
            phase: Phase::Execute,
            outcome: &outcome,
            timed_out,
            wall,
            memory_limit_bytes: cgroup::memory_limit(limits.memory_bytes),
            before_phase: before,
            before_job: before,
            now: self.interpreter.cgroup.usage()?,
            pump: &pump,
        };
        let report = report(&seen, &mut OfJob(&mut log));
        let stays = (!session.lost).then_some(self);
        let report = JobReport {
            zygote: true,
            session: Some(session),
            ..report
        };
        Ok((report, stays))
    }

    /// Gives the order and waits for what comes of it, pumping meanwhile.
    fn order(
        &mut self,
        request: &RunRequest,
        pump: &mut Pump,
        channel: &mut Channel,
        deadline: Instant,
    ) -> Result<Carried, AgentError> {
        if !pump.take_input(new_file("input")?, channel, deadline)? {
            return Ok(Carried::Ended { timed_out: true });
        }
        self.count += 1;
        self.write_order(request)?;
        let waiting = &mut self.interpreter.waiting;
        waiting.limit(&request.limits, &self.interpreter.cgroup)?;
        let line = format!("{{\"session\":{}}}\n", self.count);
        if waiting.orders.write_all(line.as_bytes()).is_err() {
            // A program of before left something that closed or ended it.
            self.interpreter.cgroup.kill()?;
            return Ok(Carried::Ended { timed_out: false });
        }
        let mut answers = Answers::default();
        let mut bytes = vec![0; READ_BYTES];
        loop {
            if !pump.until_readable(waiting.answers.as_fd(), channel, deadline)? {
                return Ok(Carried::Ended { timed_out: true });
            }
            let count =
                nix::unistd::read(&waiting.answers, &mut bytes).step(|| "read an answer")?;
            if count == 0 {
                // Gone, or about to be, or it closed its end and goes on to its deadline.
                let report = waiting.cell.report.as_fd();
                let timed_out = !pump.until_readable(report, channel, deadline)?;
                return Ok(Carried::Ended { timed_out });
            }
            match answers.feed(&bytes[..count], self.count) {
                Ok(Some(answer)) => return Ok(Carried::Answered(answer)),
                Ok(None) if answers.begun => pump.interrupts(&self.interpreter.cgroup),
                Ok(None) => {}
                Err(bad) => {
                    complain(&bad);
                    self.interpreter.cgroup.kill()?;
                    return Ok(Carried::Ended { timed_out: false });
                }
            }
        }
    }

    /// Into a file, not through the pipe: nothing here waits for a program that does not read.
    fn write_order(&self, request: &RunRequest) -> Result<(), AgentError> {
        let env: std::collections::BTreeMap<_, _> = request.env.iter().cloned().collect();
        let order = serde_json::json!({
            "id": self.count,
            "code": String::from_utf8_lossy(&request.code.0),
            "args": request.args,
            "env": env,
        });
        std::fs::File::from(new_file("order")?)
            .write_all(order.to_string().as_bytes())
            .step(|| "write the session's order")
    }
}

fn lost() -> SessionReport {
    SessionReport {
        results: Vec::new(),
        error: None,
        lost: true,
    }
}

/// A new file in the session's folder; an old one of this name stays what it is to whoever has
/// it open.
fn new_file(name: &str) -> Result<OwnedFd, AgentError> {
    let path = format!("{SESSION}/{name}");
    let _ = std::fs::remove_file(&path);
    let file = std::fs::File::create_new(&path).step(|| format!("create {path}"))?;
    Ok(file.into())
}
