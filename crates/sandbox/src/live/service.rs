//! What answers for a guest: owns the link, and moves between it, the channel and who asks. What any of it means is judged
//! in [`super::state`] and done in [`super::desk`].

use super::desk::Desk;
use super::error::Broken;
use super::guest::Guest;
use super::line::{Command, Line, Note};
use super::process::Known;
use crate::error::{JobError, Step, Why};
use crate::lease::{Leased, channel_failed, with_console};
use crate::quoted::quoted;
use crate::talk::{Sender, TalkError};
use protocol::limits::SandboxRules;
use protocol::link::Link;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Commands that wait for the service.
const WAITING_COMMANDS: usize = 32;
/// Bytes put to the channel in one go, at least where there are so many.
const WRITE_BYTES: usize = 64 * 1024;
/// Bytes that may lie on the host's end of the link (4 MiB) before handles have to wait: a guest that does not read,
/// or reads slower than it is asked, holds up those who ask.
const MAX_BACKLOG_BYTES: usize = 4 * 1024 * 1024;
/// How long the channel may take not a byte: an agent reads at once, or is broken. Emulated on a loaded host, it
/// may be seconds.
const STALL_DEADLINE: Duration = Duration::from_secs(60);

/// One link with a guest, from its beginning on. The guest has no stream open: it has said hello, or is quiet.
pub(crate) struct Service {
    pub(super) desk: Desk,
    commands: mpsc::Receiver<Command>,
    notes: mpsc::UnboundedReceiver<Note>,
    outbox: Outbox,
}

impl Service {
    /// A new link; what is asked of the guest is answered while [`Service::serve`] is polled.
    pub(crate) fn open(known: watch::Sender<Known>, rules: SandboxRules) -> (Guest, Service) {
        let (commands, for_service) = mpsc::channel(WAITING_COMMANDS);
        let (notes, notes_for_service) = mpsc::unbounded_channel();
        let line = Line {
            commands,
            known: known.subscribe(),
        };
        let service = Service {
            desk: Desk::new(Link::new(), known, notes),
            commands: for_service,
            notes: notes_for_service,
            outbox: Outbox::new(),
        };
        (Guest::new(line, rules), service)
    }

    /// Serves until the guest breaks the protocol, or its channel breaks. Cancel-safe: it may be polled on.
    pub(super) async fn serve(&mut self, leased: &mut Leased) -> Result<(), Broken> {
        self.serve_until(leased, |_| false).await
    }

    /// Nothing that was said is still on its way.
    pub(super) fn is_idle(&self) -> bool {
        !self.outbox.is_busy() && !self.desk.link.has_output()
    }

    /// Takes no more commands; who asks hears why.
    pub(super) fn refuse_commands(&mut self) {
        self.commands.close();
        while self.commands.try_recv().is_ok() {}
    }

    /// The same until this holds.
    pub(super) async fn serve_until(
        &mut self,
        leased: &mut Leased,
        mut holds: impl FnMut(&Service) -> bool,
    ) -> Result<(), Broken> {
        let Leased {
            sender, receiver, ..
        } = leased;
        loop {
            self.desk.pump();
            self.outbox.fill(&mut self.desk.link);
            if holds(self) {
                return Ok(());
            }
            let Service {
                desk,
                commands,
                notes,
                outbox,
            } = self;
            let backlog = outbox.left().len() + desk.link.buffered_bytes();
            let (is_busy, stalled) = (outbox.is_busy(), outbox.moved + STALL_DEADLINE);
            tokio::select! {
                // What a guest says may ask for an answer: one that does not read them is not heard.
                bytes = receiver.read(), if backlog < 2 * MAX_BACKLOG_BYTES => desk.received(bytes?)?,
                written = outbox.advance(sender), if is_busy => written?,
                () = sleep_until(stalled), if is_busy => return Err(TalkError::Silent.into()),
                Some(note) = notes.recv() => {
                    desk.on_note(note);
                    while let Ok(note) = notes.try_recv() {
                        desk.on_note(note);
                    }
                }
                Some(command) = commands.recv(), if backlog < MAX_BACKLOG_BYTES => {
                    desk.on_command(command);
                    while desk.link.buffered_bytes() < MAX_BACKLOG_BYTES
                        && let Ok(command) = commands.try_recv()
                    {
                        desk.on_command(command);
                    }
                }
            }
        }
    }

    /// Polls it beside something that needs it; what came of that, or why the guest is of no use any more.
    pub(crate) async fn beside<T>(
        &mut self,
        leased: &mut Leased,
        step: Step,
        work: impl Future<Output = T>,
    ) -> Result<T, JobError> {
        let broken = tokio::select! {
            biased;
            done = work => return Ok(done),
            Err(broken) = self.serve(leased) => broken,
        };
        Err(explain(step, broken, leased).await)
    }

    /// Nothing more is done: whoever waits hears why.
    pub(super) fn over(&mut self, why: &str) {
        self.desk.over(why);
    }
}

/// Why it broke.
pub(super) async fn explain(step: Step, broken: Broken, leased: &mut Leased) -> JobError {
    let why = match broken {
        Broken::Channel(error) => return channel_failed(step, error, &mut leased.vm).await,
        Broken::Agent(reason) => {
            let reason = quoted(&reason);
            Why::Agent { step, reason }
        }
        // A parser's words may hold the guest's.
        Broken::Link(error) => Why::Violation(quoted(&error.to_string())),
        Broken::Misbehaved(what) => Why::Violation(what.to_string()),
    };
    with_console(why, leased.vm.as_ref())
}

/// Bytes on their way into the channel.
struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    is_flushed: bool,
    /// When the channel took something last, or got something to take.
    moved: Instant,
}

impl Outbox {
    fn new() -> Outbox {
        Outbox {
            bytes: Vec::new(),
            sent: 0,
            is_flushed: true,
            moved: Instant::now(),
        }
    }

    fn left(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    fn is_busy(&self) -> bool {
        !self.is_flushed || !self.left().is_empty()
    }

    /// Takes from the link what is to be sent next, once all is sent.
    fn fill(&mut self, link: &mut Link) {
        if !self.left().is_empty() || !link.has_output() {
            return;
        }
        if !self.is_busy() {
            self.moved = Instant::now();
        }
        self.bytes.clear();
        self.bytes.shrink_to(2 * WRITE_BYTES);
        link.take_output(&mut self.bytes, WRITE_BYTES);
        (self.sent, self.is_flushed) = (0, false);
    }

    /// One step, once the channel takes it. Cancel-safe.
    async fn advance(&mut self, sender: &mut Sender) -> Result<(), TalkError> {
        match self.left() {
            [] => {
                sender.flush().await?;
                self.is_flushed = true;
            }
            left => self.sent += sender.write(left).await?,
        }
        self.moved = Instant::now();
        Ok(())
    }
}
