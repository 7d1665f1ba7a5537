//! Guests that break the protocol: each ends the sandbox with one reason, and nobody is left waiting.

use super::guest::{Guest, open, report, spec, started};
use crate::live::*;
use protocol::event::EventType;
use protocol::link::{Event, Frame, StreamId};
use protocol::supervisor::{
    FileAnswer, FileOperation, GuestControl, INPUT_WINDOW_BYTES, StartStep,
};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

/// More bytes than a process' input takes at once.
const WAITS_FOR_ROOM: usize = 2 * INPUT_WINDOW_BYTES as usize;

/// What the guest may speak of.
struct Stage {
    /// Runs; its stdin.
    process: ProcessId,
    stdin: StreamId,
    /// Of its output.
    output: StreamId,
    /// Of its output too, which nobody takes while the sandbox lives.
    unread: StreamId,
    /// Of its output too, asked for and not begun.
    asked: StreamId,
    /// A file that is being read.
    read: u32,
    content: StreamId,
}

fn control(message: &GuestControl) -> Vec<Frame> {
    vec![Frame::control(message).unwrap()]
}

/// Everything that can be waited for is waited for; `None`: it came before the breach.
async fn stage(sandbox: &LiveSandbox, guest: &mut Guest) -> (Stage, JoinSet<Option<LiveError>>) {
    let (process, stdin) = started(sandbox, guest, Stdin::Open).await;
    let (output, began) = tokio::join!(sandbox.follow(process, 0), guest.follows());
    let mut output = output.unwrap();
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { output.next().await.err() });
    let (late, unread) = tokio::join!(sandbox.follow(process, 0), guest.follows());
    let (mut late, own) = (late.unwrap(), sandbox.clone());
    waiting.spawn(async move {
        own.ended().await;
        // What was sent before the breach counts.
        while late.next().await.is_ok_and(|piece| piece.is_some()) {}
        late.next().await.err()
    });
    let mut reader = sandbox.read_file("/a").await.unwrap();
    let (read, operation) = guest.file_asked().await;
    let FileOperation::Read {
        stream: content, ..
    } = operation
    else {
        panic!()
    };
    waiting.spawn(async move { reader.next().await.err() });
    let own = sandbox.clone();
    waiting.spawn(async move { own.follow(process, 0).await.err() });
    let (_, asked) = guest.follow_asked().await;
    let own = sandbox.clone();
    waiting.spawn(async move { own.start(spec(Stdin::Empty)).await.err() });
    let own = sandbox.clone();
    waiting.spawn(async move { own.wait(process).await.err() });
    let own = sandbox.clone();
    waiting.spawn(async move { own.write(process, &[b'x'; WAITS_FOR_ROOM]).await.err() });
    let own = sandbox.clone();
    waiting.spawn(async move { own.stat("/a").await.err() });
    let own = sandbox.clone();
    waiting.spawn(async move {
        let mut writer = own.write_file("/a").await.unwrap();
        writer.write(b"waits for room").await.err()
    });
    // Until all of it is on its way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stage = Stage {
        process,
        stdin: stdin.unwrap(),
        output: began,
        unread,
        asked,
        read,
        content,
    };
    (stage, waiting)
}

type Hostile = (&'static str, fn(&Stage) -> Vec<Frame>, &'static str);

const HOSTILE: &[Hostile] = &[
    (
        "data on a stream that nobody opened",
        |_| vec![Frame::Data(99, vec![1, 1])],
        "stream 99, which is not open",
    ),
    (
        "data on a stream of the other direction",
        |it| vec![Frame::Data(it.stdin, vec![1, 1])],
        "is not open",
    ),
    (
        "more data than there is credit for",
        |it| vec![Frame::Data(it.unread, vec![1; 32 * 1024]); 3],
        "went beyond its credit",
    ),
    (
        "output that has not begun",
        |it| vec![Frame::Data(it.asked, vec![1, 1])],
        "before it said where it begins",
    ),
    (
        "the end of output that has not begun",
        |it| vec![Frame::End(it.asked)],
        "before it said where it begins",
    ),
    (
        "an output's end twice",
        |it| vec![Frame::End(it.output); 2],
        "is not open",
    ),
    (
        "a malformed record",
        |it| vec![Frame::Data(it.output, vec![0, 1])],
        "malformed record",
    ),
    (
        "an empty record",
        |it| vec![Frame::Data(it.output, vec![1])],
        "malformed record",
    ),
    (
        "credit without bound",
        |it| vec![Frame::Credit(it.stdin, u32::MAX)],
        "beyond its credit",
    ),
    (
        "no JSON",
        |_| vec![Frame::Control(b"\xff{".to_vec())],
        "no valid control message",
    ),
    (
        "an unknown message, whose name is the guest's",
        |_| {
            vec![Frame::Control(
                br#"{"type":"evil\u001b[2J\nline"}"#.to_vec(),
            )]
        },
        "no valid control message: unknown variant `evil\\u{1b}[2J\\nline`",
    ),
    (
        "more values than any message has",
        |_| {
            vec![Frame::Control(
                format!("[{}1]", "1,".repeat(100_000)).into_bytes(),
            )]
        },
        "values",
    ),
    (
        "ready again",
        |_| control(&GuestControl::Ready),
        "answered what it was not asked",
    ),
    (
        "folders that nobody had emptied",
        |_| control(&GuestControl::Cleared),
        "answered what it was not asked",
    ),
    (
        "quiet that nobody asked for",
        |_| control(&GuestControl::Quiet),
        "answered what it was not asked",
    ),
    (
        "hello again",
        |_| control(&GuestControl::Hello { protocol: 1 }),
        "hello twice",
    ),
    (
        "a beginning twice",
        |it| {
            let process = it.process;
            control(&GuestControl::Starting { process })
        },
        "began what was not to start",
    ),
    (
        "a start before its beginning",
        |it| {
            let process = it.process + 1;
            control(&GuestControl::Started { process, pid: 1 })
        },
        "started what was not to start",
    ),
    (
        "an interpreter that was never to become anything",
        |it| {
            control(&GuestControl::NotStarted {
                process: it.process + 1,
                step: StartStep::Adopt,
                reason: "no".into(),
            })
        },
        "did not adopt what was not to be adopted",
    ),
    (
        "an output that the process has not",
        |it| vec![Frame::Data(it.output, vec![3, 1])],
        "an output that the process has not",
    ),
    (
        "a start that nobody asked for",
        |_| {
            control(&GuestControl::Started {
                process: 99,
                pid: 1,
            })
        },
        "started what was not to start",
    ),
    (
        "an end twice",
        |it| {
            let ended = GuestControl::Ended {
                process: it.process + 1,
                report: report(),
            };
            let process = it.process + 1;
            let starting = GuestControl::Starting { process };
            let started = GuestControl::Started { process, pid: 1 };
            let begun = [control(&starting), control(&started)].concat();
            [begun, control(&ended), control(&ended)].concat()
        },
        "a process that did not run",
    ),
    (
        "a stream that nobody asked for",
        |_| {
            control(&GuestControl::Following {
                stream: 99,
                from: 0,
            })
        },
        "a stream of output that nobody asked for",
    ),
    (
        "an answer that nobody asked for",
        |_| {
            control(&GuestControl::FileDone {
                request: 99,
                answer: FileAnswer::Done { bytes: 0 },
            })
        },
        "a file operation that nobody asked for",
    ),
    (
        "a file of other bytes than it says",
        |it| {
            let answer = FileAnswer::Done { bytes: 9 };
            let done = GuestControl::FileDone {
                request: it.read,
                answer,
            };
            [vec![Frame::End(it.content)], control(&done)].concat()
        },
        "another number of a file's bytes",
    ),
    (
        "a failure",
        |_| {
            control(&GuestControl::Failed {
                reason: "no\nmemory".into(),
            })
        },
        "the agent failed: no\\nmemory",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_hostile_guest_ends_the_sandbox_with_one_reason() {
    for (name, frames, reason) in HOSTILE {
        let (sandbox, mut guest, seen) = open().await;
        let (stage, mut waiting) = stage(&sandbox, &mut guest).await;
        let mut bytes = Vec::new();
        for frame in frames(&stage) {
            frame.write_to(&mut bytes);
        }
        guest.raw(&bytes).await;
        let mut reasons = Vec::new();
        while let Some(error) = waiting.join_next().await {
            match error.unwrap() {
                None => {}
                Some(LiveError::Gone(why)) => reasons.push(why),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(reasons.len() >= 7, "{name}: {reasons:?}");
        let why = &reasons[0];
        assert!(why.contains(reason), "{name}: {why}");
        assert!(
            why.lines().count() == 1 && why.len() < 1000,
            "{name}: {why:?}"
        );
        assert!(
            reasons.iter().all(|other| other == why),
            "{name}: {reasons:?}"
        );
        sandbox.ended().await;
        assert!(seen.vm_gone.load(Ordering::SeqCst));
        let last = seen.events.all().pop().unwrap();
        assert_eq!(last.event_type, EventType::VmStop);
        assert_eq!(last.extra["status"], "internal");
        assert!(last.details.contains(why));
        assert_eq!(seen.metrics.vms_alive.get(), 0);
        assert_eq!(sandbox.stat("/a").await, Err(LiveError::Gone(why.clone())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_hangs_up_ends_the_sandbox() {
    let (sandbox, mut guest, _seen) = open().await;
    let (_, mut waiting) = stage(&sandbox, &mut guest).await;
    guest.hang_up().await;
    while let Some(error) = waiting.join_next().await {
        assert_eq!(
            error.unwrap().unwrap().to_string(),
            "the sandbox is gone: running the job: the guest closed the channel"
        );
    }
    sandbox.ended().await;
}

/// The smallest records that there are, as many as the window takes, while nobody reads.
#[tokio::test(start_paused = true)]
async fn a_window_of_tiny_records_is_delivered_whole() {
    let (sandbox, mut guest, _seen) = open().await;
    let (process, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    let (output, stream) = tokio::join!(sandbox.follow(process, 0), guest.follows());
    let mut output = output.unwrap();
    while guest.link.room(stream) == 0 {
        assert_eq!(guest.event().await, Some(Event::Room(stream)));
    }
    let records = guest.link.room(stream) / 2;
    for number in 0..records {
        guest
            .link
            .push(stream, &[1 + (number % 2) as u8, b'x'])
            .unwrap();
    }
    guest.link.end(stream);
    guest.flush().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut offset = 0;
    while let Some(piece) = output.next().await.unwrap() {
        assert_eq!((piece.offset, piece.data.len()), (offset, 1));
        offset += 1;
    }
    assert_eq!(offset as usize, records);
}
