//! The proxy as a process: what is said to it and heard from it. Whatever it says is judged as a stranger's: it reads
//! what guests and hosts of the network send.

use super::report::Report;
use super::{Attempted, EgressError, Ledger, Moved};
use crate::control::{AttemptId, Channel, ChannelError, FromProxy, Place, SessionId, ToProxy};
use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How long it may take to read its policies and secrets.
const START_DEADLINE: Duration = Duration::from_secs(10);
/// How long it may take to close a session's connections.
const LEAVE_DEADLINE: Duration = Duration::from_secs(1);
/// Answers for names that wait for one guest; what is over is asked again.
const WAITING_ANSWERS: usize = 64;

/// A session's answers for names, each with its question's number.
pub(super) type Answers = mpsc::Receiver<(u32, Vec<u8>)>;

/// What opens a session.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) ports: Vec<u16>,
    pub(super) authority: Option<String>,
    pub(super) placeholders: Vec<(String, String)>,
}

/// A session that is open.
struct Entry {
    ledger: Arc<dyn Ledger>,
    begun: Option<oneshot::Sender<Begun>>,
    answers: mpsc::Sender<(u32, Vec<u8>)>,
    ended: CancellationToken,
    report: Report,
}

#[derive(Default)]
struct Sessions {
    open: HashMap<SessionId, Entry>,
    /// Connections under way, and where to.
    attempts: HashMap<AttemptId, (SessionId, Place)>,
}

/// The process, from its start to its end.
#[derive(Debug)]
pub(super) struct Process {
    channel: Arc<Channel>,
    sessions: Arc<Shared>,
    last: AtomicU64,
    gone: CancellationToken,
    _listening: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Shared(Mutex<Sessions>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    /// Starts it and gives it the policies.
    pub(super) async fn start(
        mut command: Command,
        policies: &ToProxy,
    ) -> Result<Process, EgressError> {
        let (own, other) = Channel::pair().map_err(EgressError::Spawn)?;
        let child = command.stdin(Stdio::from(other)).kill_on_drop(true).spawn();
        let child = child.map_err(EgressError::Spawn)?;
        let channel = Arc::new(Channel::new(own).map_err(EgressError::Spawn)?);
        let ready = tokio::time::timeout(START_DEADLINE, greet(&channel, policies)).await;
        let late = format!("it said nothing within {} s", START_DEADLINE.as_secs());
        ready.unwrap_or(Err(EgressError::Start(late)))?;
        let (sessions, gone) = (Arc::<Shared>::default(), CancellationToken::new());
        let listening = listen(child, channel.clone(), sessions.clone(), gone.clone());
        Ok(Process {
            channel,
            sessions,
            last: AtomicU64::new(0),
            gone,
            _listening: AbortOnDropHandle::new(tokio::spawn(listening)),
        })
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.gone.is_cancelled()
    }

    /// A session's place, before the proxy hears of it.
    pub(super) fn enter(
        &self,
        ledger: Arc<dyn Ledger>,
    ) -> (SessionId, oneshot::Receiver<Begun>, Answers) {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (tell_begun, begun) = oneshot::channel();
        let (tell, answers) = mpsc::channel(WAITING_ANSWERS);
        let entry = Entry {
            ledger,
            begun: Some(tell_begun),
            answers: tell,
            ended: CancellationToken::new(),
            report: Report::default(),
        };
        let mut sessions = self.sessions.lock();
        sessions.open.insert(id, entry);
        if self.gone.is_cancelled() {
            // It went meanwhile: nobody else lets go of it.
            sessions.let_go();
        }
        (id, begun, answers)
    }

    /// Says something, and hands a descriptor over with it.
    pub(super) async fn say(
        &self,
        message: &ToProxy,
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<(), ChannelError> {
        tokio::select! {
            said = self.channel.send(message, fd) => said,
            () = self.gone.cancelled() => Err(ChannelError::Closed),
        }
    }

    pub(super) fn report(&self, id: SessionId) -> Report {
        let sessions = self.sessions.lock();
        let entry = sessions.open.get(&id);
        entry.map(|entry| entry.report.clone()).unwrap_or_default()
    }

    /// Has all of a session's connections closed, and waits for it.
    pub(super) async fn leave(&self, id: SessionId) {
        let ended = self
            .sessions
            .lock()
            .open
            .get(&id)
            .map(|it| it.ended.clone());
        let Some(ended) = ended else {
            return;
        };
        if self.say(&ToProxy::End { session: id }, None).await.is_ok() {
            let _ = tokio::time::timeout(LEAVE_DEADLINE, ended.cancelled()).await;
        }
    }

    /// Nobody wants to know any more.
    pub(super) fn forget(self: &Arc<Self>, id: SessionId) {
        let entry = self.sessions.lock().open.remove(&id);
        let is_open = entry.is_some_and(|entry| !entry.ended.is_cancelled());
        if let (true, true, Ok(runtime)) = (
            is_open,
            self.is_alive(),
            tokio::runtime::Handle::try_current(),
        ) {
            let process = self.clone();
            runtime.spawn(async move { process.say(&ToProxy::End { session: id }, None).await });
        }
    }
}

async fn greet(channel: &Channel, policies: &ToProxy) -> Result<(), EgressError> {
    channel.send(policies, None).await?;
    match channel.receive::<FromProxy>().await {
        Ok((FromProxy::Ready, _)) => Ok(()),
        Ok((FromProxy::Failed { reason }, _)) => Err(EgressError::Start(reason)),
        Ok((other, _)) => Err(EgressError::Start(format!("it said {other:?} first"))),
        Err(ChannelError::Closed) => {
            let ended = "it ended before it was ready; the log has its words";
            Err(EgressError::Start(ended.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Hears it out, until it is gone.
async fn listen(
    mut child: Child,
    channel: Arc<Channel>,
    sessions: Arc<Shared>,
    gone: CancellationToken,
) {
    // Answers go out beside this: it must be heard, whatever it reads.
    let (say, mut to_say) = mpsc::unbounded_channel::<ToProxy>();
    let answering = async {
        while let Some(message) = to_say.recv().await {
            if channel.send(&message, None).await.is_err() {
                return;
            }
        }
    };
    let hearing = async {
        loop {
            match channel.receive::<FromProxy>().await {
                Ok((message, _)) => {
                    if let Some(answer) = sessions.lock().heard(message) {
                        let _ = say.send(answer);
                    }
                }
                Err(error) => return error,
            }
        }
    };
    let error = tokio::select! {
        error = hearing => error.to_string(),
        () = answering => "it reads nothing any more".to_owned(),
        ended = child.wait() => match ended {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        },
    };
    tracing::error!(reason = %error, "the egress proxy is gone; another is started with the next job that needs it");
    gone.cancel();
    sessions.lock().let_go();
    let _ = child.kill().await;
}

impl Sessions {
    /// Takes in a message; what is to be answered.
    fn heard(&mut self, message: FromProxy) -> Option<ToProxy> {
        match message {
            FromProxy::Ready | FromProxy::Failed { .. } => {}
            FromProxy::Begun {
                session,
                ports,
                authority,
                placeholders,
            } => {
                let begun = self.open.get_mut(&session)?.begun.take()?;
                let _ = begun.send(Begun {
                    ports,
                    authority,
                    placeholders,
                });
            }
            FromProxy::Answer {
                session,
                query,
                message,
            } => {
                let _ = self.open.get(&session)?.answers.try_send((query, message));
            }
            FromProxy::Attempt {
                attempt,
                session,
                place,
                address,
                rule,
                opened,
            } => {
                let attempted = Attempted {
                    place: &place,
                    address,
                    rule,
                    opened,
                };
                let entry = self.open.get_mut(&session);
                let allowed = entry.is_some_and(|entry| entry.allows(attempted));
                if !allowed {
                    return Some(ToProxy::Stop { attempt });
                }
                self.attempts.insert(attempt, (session, place));
                return Some(ToProxy::Go { attempt });
            }
            FromProxy::Refused {
                session,
                place,
                reason,
            } => self.open.get_mut(&session)?.refused(&place, reason),
            FromProxy::Closed {
                attempt,
                session,
                sent_bytes,
                received_bytes,
                millis,
            } => {
                let (_, place) = self.attempts.remove(&attempt)?;
                let entry = self.open.get_mut(&session)?;
                entry.closed(Moved {
                    place: &place,
                    sent_bytes,
                    received_bytes,
                    millis,
                });
            }
            FromProxy::Ended { session } => {
                self.attempts.retain(|_, (of, _)| *of != session);
                self.open.get(&session)?.ended.cancel();
            }
        }
        None
    }

    /// It is gone: nobody waits for it any more.
    fn let_go(&mut self) {
        self.attempts.clear();
        for entry in self.open.values_mut() {
            entry.begun = None;
            entry.answers = mpsc::channel(1).0;
            entry.ended.cancel();
        }
    }
}

impl Entry {
    fn allows(&mut self, attempted: Attempted<'_>) -> bool {
        let recorded = self.ledger.attempt(attempted).is_ok();
        self.report.connections += u64::from(recorded);
        recorded
    }

    fn refused(&mut self, place: &Place, reason: crate::reason::Reason) {
        if self.report.refused(place, reason) {
            self.ledger.refused(place, reason);
        }
    }

    fn closed(&mut self, moved: Moved<'_>) {
        self.report.sent_bytes += moved.sent_bytes;
        self.report.received_bytes += moved.received_bytes;
        self.ledger.closed(moved);
    }
}
