//! Files of an honest guest.

use super::guest::{Guest, open};
use crate::live::*;
use protocol::link::{Event, StreamId};
use protocol::supervisor::{
    FileAnswer, FileOperation, GuestControl, HostControl, MAX_ENTRIES, MAX_FILE_OPERATIONS,
    MAX_PATH_BYTES,
};
use std::time::Duration;

fn entry(path: &str) -> Entry {
    Entry {
        path: path.into(),
        kind: EntryKind::Link,
        size: 1,
        mode: 0o777,
        uid: 0,
        gid: 0,
        modified_millis: -1,
        target: Some("there".into()),
        metadata: Metadata::default(),
    }
}

fn failed(errno: i32) -> (FileAnswer, LiveError) {
    let step = || "open".to_owned();
    (
        FileAnswer::Failed {
            errno,
            step: step(),
        },
        LiveError::File {
            errno,
            step: step(),
        },
    )
}

impl Guest {
    async fn answer(&mut self, request: u32, answer: FileAnswer) {
        self.say(GuestControl::FileDone { request, answer }).await;
    }

    /// A read that is asked for.
    async fn read_asked(&mut self) -> (u32, StreamId) {
        let (request, operation) = self.file_asked().await;
        let FileOperation::Read { stream, .. } = operation else {
            panic!("{operation:?}")
        };
        self.link.open_outgoing(stream);
        (request, stream)
    }

    /// A write that is asked for, opened with this window.
    async fn write_asked(&mut self, window: u32) -> (u32, StreamId) {
        let (request, operation) = self.file_asked().await;
        let FileOperation::Write { stream, .. } = operation else {
            panic!("{operation:?}")
        };
        self.link.open_incoming(stream, window);
        self.flush().await;
        (request, stream)
    }

    /// A file's content, to the stream's end.
    async fn content(&mut self) -> Vec<u8> {
        let mut content = Vec::new();
        loop {
            match self.event().await.unwrap() {
                Event::Data(stream, data) => {
                    self.link.used(stream, data.len());
                    content.extend(data);
                }
                Event::End(_) => return content,
                other => panic!("{other:?}"),
            }
        }
    }

    /// The abort that is asked for next; content may come before it.
    async fn abort_asked(&mut self) -> u32 {
        loop {
            match self.event().await.unwrap() {
                Event::Data(..) | Event::Room(_) => {}
                Event::Control(body) => match serde_json::from_slice(&body).unwrap() {
                    HostControl::AbortFile { request } => return request,
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
    }
}

async fn all(reader: &mut FileReader) -> Result<Vec<u8>, LiveError> {
    let mut content = Vec::new();
    while let Some(bytes) = reader.next().await? {
        content.extend(bytes);
    }
    Ok(content)
}

#[tokio::test(start_paused = true)]
async fn each_operation_is_told_as_it_is_and_so_is_its_answer() {
    let (sandbox, mut guest, _seen) = open().await;
    let script = async {
        let path = || "/a".to_owned();
        let done = || FileAnswer::Done { bytes: 0 };
        let full = FileAnswer::Entries {
            entries: (0..MAX_ENTRIES)
                .map(|n| entry(&format!("/{n:04}")))
                .collect(),
            truncated: true,
        };
        for (expected, answer) in [
            (
                FileOperation::Stat { path: path() },
                FileAnswer::Entry { entry: entry("/a") },
            ),
            (
                FileOperation::List {
                    path: path(),
                    depth: 2,
                },
                full,
            ),
            (FileOperation::MakeFolder { path: path() }, done()),
            (
                FileOperation::Move {
                    from: path(),
                    to: "/b".into(),
                },
                done(),
            ),
            (FileOperation::Remove { path: path() }, failed(2).0),
        ] {
            let (request, operation) = guest.file_asked().await;
            assert_eq!(operation, expected);
            guest.answer(request, answer).await;
        }
    };
    let ask = async {
        assert_eq!(sandbox.stat("/a").await, Ok(entry("/a")));
        let listing = sandbox.list("/a", 2).await.unwrap();
        assert_eq!(
            (listing.entries.len(), listing.truncated),
            (MAX_ENTRIES, true)
        );
        assert_eq!(sandbox.make_folder("/a").await, Ok(()));
        assert_eq!(sandbox.rename("/a", "/b").await, Ok(()));
        let error = sandbox.remove("/a").await.unwrap_err();
        assert_eq!(error, failed(2).1);
        assert_eq!(
            error.to_string(),
            "open: No such file or directory (os error 2)"
        );
    };
    tokio::join!(script, ask);
    let long = "/".repeat(MAX_PATH_BYTES + 1);
    assert!(matches!(
        sandbox.stat(&long).await,
        Err(LiveError::File { errno: 36, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_whole_although_its_answer_overtakes_it() {
    let (sandbox, mut guest, _seen) = open().await;
    let mut reader = sandbox.read_file("/a").await.unwrap();
    let (request, stream) = guest.read_asked().await;
    let (pieces, piece) = (40, vec![7; 30_000]);
    let bytes = pieces * piece.len() as u64;
    let script = async {
        guest.answer(request, FileAnswer::Done { bytes }).await;
        for _ in 0..pieces {
            guest.send(stream, &piece).await;
        }
        guest.end(stream).await;
    };
    let (content, ()) = tokio::join!(all(&mut reader), script);
    assert_eq!(content.unwrap().len() as u64, bytes);
    assert_eq!(reader.next().await, Ok(None), "it stays at its end");
    drop(reader);
    // An empty one.
    let mut reader = sandbox.read_file("/a").await.unwrap();
    let (request, stream) = guest.read_asked().await;
    guest.end(stream).await;
    guest.answer(request, FileAnswer::Done { bytes: 0 }).await;
    assert_eq!(reader.next().await, Ok(None));
    drop(reader);
    assert!(sandbox.is_alive());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_read_says_so_after_what_was_read() {
    for content in [&b""[..], b"half"] {
        let (sandbox, mut guest, _seen) = open().await;
        let mut reader = sandbox.read_file("/a").await.unwrap();
        let (request, stream) = guest.read_asked().await;
        if !content.is_empty() {
            guest.send(stream, content).await;
        }
        guest.answer(request, failed(5).0).await;
        guest.end(stream).await;
        if !content.is_empty() {
            assert_eq!(reader.next().await, Ok(Some(content.to_vec())));
        }
        assert_eq!(reader.next().await, Err(failed(5).1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_dropped_stops_the_read() {
    let (sandbox, mut guest, _seen) = open().await;
    let reader = sandbox.read_file("/a").await.unwrap();
    let (request, stream) = guest.read_asked().await;
    guest.send(stream, b"some").await;
    drop(reader);
    assert_eq!(guest.abort_asked().await, request);
    assert_eq!(guest.event().await, Some(Event::Refused(stream)));
    // An answer that was on its way means nothing.
    guest.answer(request, failed(5).0).await;
    let (reader, (request, _)) = tokio::join!(sandbox.read_file("/b"), guest.read_asked());
    drop(reader);
    assert_eq!(guest.abort_asked().await, request);
    let (made, ()) = tokio::join!(sandbox.make_folder("/b"), async {
        assert!(matches!(guest.event().await, Some(Event::Refused(_))));
        let (request, _) = guest.file_asked().await;
        guest.answer(request, FileAnswer::Done { bytes: 0 }).await;
    });
    assert_eq!(made, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_written_as_the_guest_takes_it() {
    let (sandbox, mut guest, _seen) = open().await;
    let mut writer = sandbox.write_file("/a").await.unwrap();
    let (request, _) = guest.write_asked(100).await;
    let write = async {
        for _ in 0..50 {
            writer.write(&[1; 997]).await.unwrap();
        }
        writer.finish().await
    };
    let script = async {
        let bytes = guest.content().await.len() as u64;
        guest.answer(request, FileAnswer::Done { bytes }).await;
    };
    let (bytes, ()) = tokio::join!(write, script);
    assert_eq!(bytes, Ok(50 * 997));
    let empty = sandbox.write_file("/a").await.unwrap();
    let script = async {
        let (request, _) = guest.write_asked(100).await;
        assert!(guest.content().await.is_empty());
        guest.answer(request, FileAnswer::Done { bytes: 0 }).await;
    };
    assert_eq!(tokio::join!(empty.finish(), script).0, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_written_fails_who_writes_and_who_finishes() {
    for is_refused_first in [true, false] {
        let (sandbox, mut guest, _seen) = open().await;
        let mut writer = sandbox.write_file("/a").await.unwrap();
        let (request, stream) = guest.write_asked(10).await;
        let script = async {
            assert!(matches!(guest.event().await, Some(Event::Data(..))));
            if is_refused_first {
                guest.link.refuse(stream);
                guest.flush().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            guest.answer(request, failed(28).0).await;
        };
        let (written, ()) = tokio::join!(writer.write(&[0; 100]), script);
        assert_eq!(written, Err(failed(28).1));
        assert_eq!(writer.write(b"x").await, Err(failed(28).1), "it stays so");
        assert_eq!(writer.finish().await, Err(failed(28).1));
        assert!(sandbox.is_alive());
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_given_up_is_aborted_before_its_stream_ends() {
    let (sandbox, mut guest, _seen) = open().await;
    let mut writer = sandbox.write_file("/a").await.unwrap();
    let (request, stream) = guest.write_asked(100).await;
    writer.write(b"half").await.unwrap();
    drop(writer);
    assert_eq!(guest.abort_asked().await, request);
    loop {
        match guest.event().await.unwrap() {
            Event::Data(..) => {}
            other => break assert_eq!(other, Event::End(stream)),
        }
    }
    guest.answer(request, failed(125).0).await;
    // A call that was cancelled may have left bytes out: that file is not to be finished.
    let mut writer = sandbox.write_file("/a").await.unwrap();
    let (request, _) = guest.write_asked(4).await;
    let cancelled = tokio::time::timeout(Duration::from_secs(1), writer.write(b"aaaabbbb")).await;
    assert!(cancelled.is_err());
    let spoiled = |result| matches!(result, Err(LiveError::File { errno: 125, .. }));
    assert!(spoiled(writer.write(b"c").await.map(|()| 0)));
    assert!(spoiled(writer.finish().await));
    assert_eq!(guest.abort_asked().await, request);
}

#[tokio::test(start_paused = true)]
async fn one_operation_more_than_may_be_waits_for_its_place() {
    let (sandbox, mut guest, _seen) = open().await;
    let mut readers = Vec::new();
    let mut asked = Vec::new();
    for _ in 0..MAX_FILE_OPERATIONS {
        readers.push(sandbox.read_file("/a").await.unwrap());
        asked.push(guest.read_asked().await);
    }
    let mut waiting = std::pin::pin!(sandbox.make_folder("/b"));
    let early = tokio::time::timeout(Duration::from_secs(1), &mut waiting).await;
    assert!(early.is_err());
    let (request, _) = asked.pop().unwrap();
    drop(readers.pop());
    let script = async {
        assert_eq!(
            guest.abort_asked().await,
            request,
            "before the next one comes"
        );
        assert!(matches!(guest.event().await, Some(Event::Refused(_))));
        let (request, _) = guest.file_asked().await;
        guest.answer(request, FileAnswer::Done { bytes: 0 }).await;
    };
    assert_eq!(tokio::join!(waiting, script).0, Ok(()));
}
