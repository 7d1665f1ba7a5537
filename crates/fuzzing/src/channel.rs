//! What a guest says to the host, and a VMM.

use protocol::frame::{FrameDecoder, HEADER_BYTES, MAX_FRAME_BYTES, encode};
use protocol::job::{Job, JobRequest, RequestedLimits};
use protocol::result::{Isolation, Timings};
use protocol::validate::Policy;
use protocol::wire::{GuestMessage, MAX_ARTIFACTS, STDIN_WINDOW_BYTES};
use sandbox::config::Config;
use sandbox::conversation::{Conversation, Decision};
use sandbox::error::{Step, Why};
use sandbox::outcome::{self, TalkEnd};
use std::sync::OnceLock;
use vmm::qmp::message::Message;

/// A stream of frames says the same in whatever pieces it comes, and what it says survives being said
/// again.
pub fn frames(bytes: &[u8]) {
    let whole = decode(bytes, usize::MAX);
    let piece = bytes.first().map_or(1, |first| usize::from(*first) + 1);
    assert_eq!(whole, decode(bytes, piece), "in pieces of {piece}");
    for message in whole.0 {
        let mut again = FrameDecoder::new();
        if let Ok(frame) = encode(&message) {
            again.feed(&frame);
            assert_eq!(again.next_message().ok().flatten(), Some(message));
        }
    }
}

/// The messages, and whether the stream ended well.
fn decode(bytes: &[u8], piece: usize) -> (Vec<GuestMessage>, bool) {
    let mut decoder = FrameDecoder::new();
    let mut messages = Vec::new();
    for chunk in bytes.chunks(piece) {
        decoder.feed(chunk);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return (messages, false),
            }
        }
        assert!(decoder.buffered_bytes() < HEADER_BYTES + MAX_FRAME_BYTES);
    }
    (messages, decoder.finish().is_ok())
}

/// A talk about a job, one message a line: whatever the guest says, what is kept is bounded, and the
/// result's words hold nothing that a terminal acts on.
pub fn conversation(bytes: &[u8]) {
    let Some(job) = job(bytes.first().is_some_and(|first| first % 2 == 1)) else {
        return;
    };
    let compiles = job.language.spec().compile.is_some();
    let mut talk = Conversation::new(job.trace_id.clone(), compiles, job.limits.clone());
    talk.sent_stdin(1000);
    let mut end = TalkEnd::Failed(Why::Gone.into());
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<GuestMessage>(line) else {
            break;
        };
        match talk.on(message) {
            Ok(Decision::Over(report)) => {
                end = TalkEnd::Report(report);
                break;
            }
            Ok(Decision::Refused(reason)) => {
                end = TalkEnd::Refused(reason);
                break;
            }
            Ok(Decision::AgentFailed(reason)) => {
                let step = Step::Run;
                end = TalkEnd::Failed(Why::Agent { step, reason }.into());
                break;
            }
            Ok(_) => bounded(&talk, &job),
            Err(why) => {
                assert!(!why.to_string().chars().any(char::is_control), "{why:?}");
                break;
            }
        }
    }
    let isolation = Isolation {
        engine: "qemu".into(),
        accelerator: "tcg".into(),
        jail: "bubblewrap".into(),
    };
    let result = outcome::result(&job, talk, end, isolation, Timings::default());
    if let Some(failure) = &result.failure {
        let shown = failure
            .message
            .chars()
            .any(|it| it.is_control() && it != '\n');
        assert!(!shown, "{:?}", failure.message);
    }
    let sentence = outcome::sentence(&result);
    assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
    assert!(serde_json::to_vec(&result).is_ok());
    let _ = (result.tool_exit_code(), outcome::event_type(&result));
}

fn bounded(talk: &Conversation, job: &Job) {
    for kept in [&talk.stdout, &talk.stderr] {
        assert!(kept.bytes.len() as u64 <= job.limits.output_bytes);
    }
    let bytes: u64 = talk.artifacts.iter().map(|file| file.size).sum();
    assert!(bytes <= job.limits.artifact_bytes);
    assert!(talk.artifacts.len() <= MAX_ARTIFACTS);
    assert!(talk.stdin_room() <= STDIN_WINDOW_BYTES);
}

/// A job named `t`, with limits that a short talk can reach.
fn job(compiled: bool) -> Option<Job> {
    let request = JobRequest {
        language: if compiled { "rust" } else { "python" }.into(),
        code: "x".into(),
        trace_id: Some("t".into()),
        limits: RequestedLimits {
            output_bytes: Some(256),
            ..RequestedLimits::default()
        },
        ..JobRequest::default()
    };
    policy().validate(request).ok()
}

/// The default configuration's; its patterns are compiled once.
pub(crate) fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(|| match Config::default().policy() {
        Ok(policy) => policy,
        Err(error) => panic!("the default configuration is refused: {error}"),
    })
}

/// A line of QMP from a VMM that was taken over.
pub fn qmp(bytes: &[u8]) {
    if let Err(why) = Message::parse(bytes) {
        assert!(!why.is_empty());
    }
}
