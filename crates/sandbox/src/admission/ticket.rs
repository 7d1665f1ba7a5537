//! What somebody holds who was let in: first a number in the queue, then a place.

use super::{Admission, NotAdmitted};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What a waiter is called with.
pub(super) type Call = oneshot::Sender<()>;

/// A job that was let in: it waits for its place, or has it. Dropped, the job is over: it counts for its key no more.
#[derive(Debug)]
pub struct Ticket {
    since: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    Waits(Waiter),
    Runs(Running),
}

/// A place to run in. Its clones are the same place: it is free once the last is gone, so a VM can keep it longer than
/// its job's ticket does.
#[derive(Debug, Clone)]
pub struct Place(#[expect(dead_code, reason = "held, not looked at")] Arc<Taken>);

#[derive(Debug)]
struct Taken(Arc<Admission>);

/// One job among all of its key.
#[derive(Debug, Clone)]
struct Member {
    admission: Arc<Admission>,
    key: String,
}

#[derive(Debug)]
struct Waiter {
    member: Member,
    number: u64,
    called: oneshot::Receiver<()>,
    /// It heard its call, and is a [`Running`] now.
    is_called: bool,
}

#[derive(Debug)]
struct Running {
    member: Member,
    place: Place,
}

impl Ticket {
    pub(super) fn placed(admission: Arc<Admission>, key: &str) -> Ticket {
        Ticket::new(State::Runs(Member::of(admission, key).runs()))
    }

    pub(super) fn waiting(
        admission: Arc<Admission>,
        key: &str,
        (number, called): (u64, oneshot::Receiver<()>),
    ) -> Ticket {
        Ticket::new(State::Waits(Waiter {
            member: Member::of(admission, key),
            number,
            called,
            is_called: false,
        }))
    }

    fn new(state: State) -> Ticket {
        Ticket {
            since: Instant::now(),
            state,
        }
    }

    /// When it was let in.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Its place, waited for if need be. Cancel-safe.
    pub async fn place(&mut self) -> Result<Place, NotAdmitted> {
        if let State::Waits(waiter) = &mut self.state {
            self.state = State::Runs(waiter.wait().await?);
        }
        match &self.state {
            State::Runs(running) => Ok(running.place.clone()),
            State::Waits(_) => Err(NotAdmitted::Closing),
        }
    }
}

impl Member {
    fn of(admission: Arc<Admission>, key: &str) -> Member {
        Member {
            admission,
            key: key.to_owned(),
        }
    }

    fn runs(self) -> Running {
        let place = Place(Arc::new(Taken(self.admission.clone())));
        Running {
            member: self,
            place,
        }
    }
}

impl Waiter {
    async fn wait(&mut self) -> Result<Running, NotAdmitted> {
        let closing = self.member.admission.closing.clone();
        tokio::select! {
            biased;
            () = closing.cancelled() => return Err(NotAdmitted::Closing),
            called = &mut self.called => called.map_err(|_| NotAdmitted::Closing)?,
        }
        self.is_called = true;
        Ok(self.member.clone().runs())
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let Member { admission, key } = &self.member;
        if !self.is_called && !admission.queue().abandon(key, self.number) {
            // It was called and did not hear of it: its place is the next one's.
            drop(self.member.clone().runs());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Member { admission, key } = &self.member;
        admission.call(|queue| queue.finish(key));
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.call(|queue| queue.vacate());
    }
}
