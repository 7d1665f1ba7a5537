//! A job's turn: let in by its key, its place waited for, and with it the room that its result may take.

use crate::app::App;
use crate::keys::Principal;
use crate::memory::ResultRoom;
use crate::problem::{HttpCode, Problem};
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::result::{Failure, JobResult};
use sandbox::admission::NotAdmitted;
use sandbox::admission::fair_queue::{KeyBounds, fair_share};
use sandbox::admission::ticket::Ticket;
use sandbox::error::Why;
use sandbox::sandbox::Sandbox;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How much one more job counts in the mean of recent job times.
const MEAN_WEIGHT: f64 = 0.1;

/// A job's turn, had or waited for. Kept until its answer is out, then dropped.
#[derive(Debug)]
pub struct Turn {
    /// Its place.
    pub ticket: Ticket,
    room: ResultRoom,
}

/// The mean of recent jobs' seconds, for `Retry-After`.
#[derive(Debug)]
pub struct Pace(Mutex<f64>);

impl Default for Pace {
    fn default() -> Self {
        Pace(Mutex::new(0.5))
    }
}

impl Pace {
    /// Takes in how long a job took.
    pub fn took(&self, seconds: f64) {
        let mut mean = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *mean += MEAN_WEIGHT * (seconds - *mean);
    }

    /// Seconds until one of so many places is likely for who comes after so many, 1 to 60.
    fn retry_after(&self, places: usize, waiting: usize) -> u64 {
        let mean = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = (waiting + 1) as f64 * mean / places.max(1) as f64;
        (seconds.ceil() as u64).clamp(1, 60)
    }
}

impl Turn {
    /// Lets a job of this key into the queue, or says why not.
    pub fn enter(app: &App, who: &Principal) -> Result<Turn, Problem> {
        if app.draining.is_cancelled() {
            return Err(stopping());
        }
        let sandbox = &app.rooms.sandbox;
        let bounds = KeyBounds {
            jobs: who.limits.jobs,
            running: match who.limits.running {
                0 => fair_share(sandbox.bounds().running, app.keys.executors()),
                own => own,
            },
        };
        let ticket = sandbox.enter(&who.id, bounds);
        let ticket = ticket.map_err(|refusal| refused(app, refusal))?;
        let room = ResultRoom::default();
        Ok(Turn { ticket, room })
    }

    /// Waits for the job's place, and for the room that its result may take; else the result that says that
    /// none came in time. A job whose client goes away meanwhile is told of and counted like every other.
    pub async fn wait(&mut self, app: &App, job: &Job) -> Result<(), Box<JobResult>> {
        let sandbox: &Sandbox = &app.rooms.sandbox;
        let mut waiter = Waiter(Some((sandbox, job)));
        let seconds = app.config().queue_seconds;
        let turn = async {
            self.ticket.place().await?;
            Ok(app.memory.result(job).await)
        };
        let turn = tokio::time::timeout(Duration::from_secs(seconds), turn).await;
        waiter.0 = None;
        let why = match turn {
            Ok(Ok(room)) => {
                self.room = room;
                return Ok(());
            }
            Ok(Err::<_, NotAdmitted>(_)) => Why::Closing,
            Err(_) => Why::NoTurn { seconds },
        };
        Err(Box::new(sandbox.turned_away(job, why.into())))
    }

    /// The result is there: room that it does not take is given back.
    pub fn keeps(&mut self, result: &JobResult) {
        self.room.keeps(result);
    }
}

/// A job that waits for its turn.
struct Waiter<'a>(Option<(&'a Sandbox, &'a Job)>);

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some((sandbox, job)) = self.0 {
            sandbox.went_away(job);
        }
    }
}

fn refused(app: &App, refusal: NotAdmitted) -> Problem {
    let sandbox = &app.rooms.sandbox;
    let (running, waiting) = sandbox.load();
    let wait = app.pace.retry_after(sandbox.bounds().running, waiting);
    match refusal {
        NotAdmitted::Closing => stopping(),
        NotAdmitted::KeyFull => Problem::new(HttpCode::TooManyJobs).retry_after(wait),
        NotAdmitted::QueueFull | NotAdmitted::NoMemory => {
            let advice = ErrorCode::QueueFull.advice();
            let message = format!("{running} jobs run and {waiting} wait; {advice}");
            told_by_nobody(ErrorCode::QueueFull, message).retry_after(wait)
        }
    }
}

/// The service stops.
pub fn stopping() -> Problem {
    let code = ErrorCode::ShuttingDown;
    told_by_nobody(code, code.advice().into()).retry_after(5)
}

/// A problem of which no event tells yet.
fn told_by_nobody(code: ErrorCode, message: String) -> Problem {
    let failure = Failure {
        code,
        message,
        field: None,
    };
    Problem {
        noted: false,
        trace_id: None,
        ..Problem::failed(&failure, "")
    }
}
