//! What came from the guest, taken to who waits for it.

use super::desk::Desk;
use super::error::{Broken, LiveError, Misbehaviour};
use super::inbox::Inbox;
use super::line::Reply;
use super::output::{Output, deliver};
use super::state::{Content, Decision};
use super::transfers::Waits;
use crate::quoted::quoted;
use protocol::link::{Event, StreamId, parse_control};
use protocol::supervisor::{FileAnswer, ProcessId, ProcessReport};
use std::sync::Arc;

impl Desk {
    /// Takes in bytes of the channel; an error ends the sandbox.
    pub(super) fn received(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.link.feed(bytes);
        while let Some(event) = self.link.next_event()? {
            self.on_event(event)?;
        }
        Ok(())
    }

    /// Nothing more is done: whoever waits hears why.
    pub(super) fn over(&mut self, why: &str) {
        self.known.send_modify(|known| {
            known.over.get_or_insert_with(|| why.to_owned());
        });
        let gone = self.known.borrow().gone();
        for inbox in std::mem::take(&mut self.inboxes).into_values() {
            inbox.close(Err(gone.clone()));
        }
        for request in std::mem::take(&mut self.requests).into_values() {
            if let Waits::Content(_, inbox) = request.waits {
                inbox.close(Err(gone.clone()));
            }
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Control(body) => {
                let decision = self.expected.on(parse_control(&body)?)?;
                self.act(decision)?;
            }
            Event::Data(stream, data) => {
                let content = self.expected.data(stream, &data)?;
                match (self.inboxes.get(&stream), content) {
                    (Some(inbox), Content::Record) => deliver(inbox, &data),
                    (Some(inbox), Content::Bytes) => inbox.push([&data, &[]]),
                    (None, _) => {}
                }
            }
            Event::End(stream) => {
                let decision = self.expected.end(stream)?;
                self.act(decision)?;
            }
            // What waits is put on the link after every event.
            Event::Room(_) => {}
            Event::Refused(stream) => self.outflows.stop(stream, &mut self.link),
        }
        Ok(())
    }

    fn act(&mut self, decision: Decision) -> Result<(), Misbehaviour> {
        match decision {
            Decision::Nothing => {}
            Decision::Settled => {
                for reply in self.settling.ready.drain(..) {
                    let _ = reply.send(Ok(()));
                }
            }
            Decision::Cleared => answer(self.settling.clear.take()),
            Decision::Quiet => answer(self.settling.quiet.take()),
            Decision::Begun(process) => self.begun(process),
            Decision::Started(process, pid) => self.started(process, pid),
            Decision::NotStarted(process, step, reason) => {
                self.not_started(process, step, reason)?;
            }
            Decision::Ended(process, report) => self.ended(process, report),
            Decision::Begins(stream, from) => self.begins(stream, from),
            Decision::OutputOver(stream) => {
                if let Some(inbox) = self.inboxes.remove(&stream) {
                    inbox.close(Ok(()));
                }
            }
            Decision::Answered(request, answer) => self.answered(request, answer),
            Decision::Connected(to_host) => self.connected(to_host, Ok(())),
            Decision::Dialled(dial, to) => self.dialled(dial, to),
            Decision::Queried(query, message) => self.queried(query, message),
            Decision::NotConnected(to_host, errno) => {
                self.connected(to_host, Err(LiveError::NotConnected { errno }));
            }
        }
        Ok(())
    }

    fn ended(&mut self, process: ProcessId, report: ProcessReport) {
        self.stop_inputs(process);
        self.known.send_modify(|known| {
            if let Some(info) = known.processes.get_mut(&process) {
                info.report = Some(report);
            }
        });
    }

    fn begins(&mut self, stream: StreamId, from: u64) {
        let Some(reply) = self.following.remove(&stream) else {
            // Of one that is launched, whose reader may have it already.
            if let Some(inbox) = self.inboxes.get(&stream) {
                inbox.set_base(from);
            }
            return;
        };
        let inbox = Arc::new(Inbox::default());
        self.inboxes.insert(stream, inbox.clone());
        // Who went away drops it, and so refuses it.
        let output = Output::new(stream, from, inbox, self.notes.clone());
        let _ = reply.send(Ok(output));
    }

    fn answered(&mut self, request: u32, answer: FileAnswer) {
        let Some(request) = self.requests.remove(&request) else {
            return;
        };
        let answer = believed(answer);
        match request.waits {
            Waits::Answer(reply) => _ = reply.send(answer),
            Waits::Content(stream, inbox) => {
                self.inboxes.remove(&stream);
                inbox.close(answer.map(drop));
            }
            Waits::Taken(stream, reply) => {
                self.outflows.stop(stream, &mut self.link);
                let _ = reply.send(answer.map(|answer| match answer {
                    FileAnswer::Done { bytes } => bytes,
                    _ => 0,
                }));
            }
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.over("nobody held it any more");
    }
}

fn answer(reply: Option<Reply<()>>) {
    if let Some(reply) = reply {
        let _ = reply.send(Ok(()));
    }
}

/// A failure as an error, its words escaped.
fn believed(answer: FileAnswer) -> Result<FileAnswer, LiveError> {
    match answer {
        FileAnswer::Failed { errno, step } => Err(LiveError::File {
            errno,
            step: quoted(&step),
        }),
        answer => Ok(answer),
    }
}
