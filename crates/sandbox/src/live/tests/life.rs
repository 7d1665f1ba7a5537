//! How a live sandbox begins, and how it ends.

use super::guest::{Guest, begin, open, spec, started};
use crate::live::*;
use protocol::error_code::ErrorCode;
use protocol::event::EventType;
use protocol::supervisor::{GuestControl, INPUT_WINDOW_BYTES};
use std::sync::atomic::Ordering;
use std::time::Duration;

fn gone(why: &str) -> LiveError {
    LiveError::Gone(why.into())
}

#[tokio::test(start_paused = true)]
async fn closing_destroys_the_vm_and_tells_everybody() {
    let (sandbox, mut guest, seen) = open().await;
    assert_eq!(
        (seen.metrics.vms_alive.get(), sandbox.is_alive()),
        (1, true)
    );
    let (id, _) = started(&sandbox, &mut guest, Stdin::Open).await;
    let waits = tokio::spawn({
        let sandbox = sandbox.clone();
        async move {
            tokio::join!(
                async { sandbox.wait(id).await.unwrap_err() },
                async {
                    sandbox
                        .write(id, &[b'x'; 2 * INPUT_WINDOW_BYTES as usize])
                        .await
                        .unwrap_err()
                },
                async { sandbox.start(spec(Stdin::Empty)).await.unwrap_err() },
                async { sandbox.stat("/a").await.unwrap_err() },
                sandbox.ended(),
            )
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    sandbox.close().await;
    assert!(seen.vm_gone.load(Ordering::SeqCst) && !sandbox.is_alive());
    let (wait, write, start, stat, ()) = waits.await.unwrap();
    for told in [wait, write, start, stat] {
        assert_eq!(told, gone("it was closed"));
    }
    assert_eq!(sandbox.processes().len(), 1, "still told");
    sandbox.close().await;
    let told = seen.events.all();
    let types: Vec<_> = told.iter().map(|event| event.event_type).collect();
    assert_eq!(types, [EventType::VmStart, EventType::VmStop]);
    assert_eq!(told[1].extra["status"], "ok");
    assert_eq!(seen.metrics.vms_alive.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_takes_the_vm_along_whatever_is_still_held() {
    let (sandbox, mut guest, seen) = open().await;
    let (id, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    let (output, _) = tokio::join!(sandbox.follow(id, 0), guest.follows());
    let mut output = output.unwrap();
    let (mut reader, mut writer) = (
        sandbox.read_file("/a").await.unwrap(),
        sandbox.write_file("/a").await.unwrap(),
    );
    let clone = sandbox.clone();
    drop(sandbox);
    assert!(clone.is_alive());
    drop(clone);
    let why = gone("nobody held it any more");
    assert_eq!(output.next().await, Err(why.clone()));
    assert_eq!(reader.next().await, Err(why.clone()));
    assert_eq!(writer.write(b"x").await, Err(why.clone()));
    assert_eq!(writer.finish().await, Err(why));
    seen.destroying.close();
    seen.destroying.wait().await;
    assert!(seen.vm_gone.load(Ordering::SeqCst));
    assert_eq!(
        seen.events.all().last().unwrap().event_type,
        EventType::VmStop
    );
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_does_not_read_is_given_up() {
    let (sandbox, mut guest, _seen) = open().await;
    let (id, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    let large = ProcessSpec {
        env: vec![("A".into(), "x".repeat(100_000))],
        ..spec(Stdin::Empty)
    };
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (sandbox, large) = (sandbox.clone(), large.clone());
        starts.spawn(async move { sandbox.start(large).await });
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(sandbox.is_alive());
    for start in starts.join_all().await {
        let Err(LiveError::Gone(why)) = start else {
            panic!("{start:?}")
        };
        assert_eq!(
            why,
            "running the job: the guest was silent past the deadline"
        );
    }
    assert!(sandbox.wait(id).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_become_ready_is_no_sandbox() {
    enum First {
        Says(GuestControl),
        Sends(&'static [u8]),
        Closes,
        IsSilent,
    }
    let failed = GuestControl::Failed {
        reason: "no cgroups".into(),
    };
    let cases = [
        (First::Says(failed), ErrorCode::AgentFailed, "no cgroups"),
        (
            First::Says(GuestControl::Started { process: 1, pid: 1 }),
            ErrorCode::GuestMisbehaved,
            "started what was not to start",
        ),
        (
            First::Sends(b"\0\0\0\x10\0\0\0\0\0{\"type\":\"awake\"}"),
            ErrorCode::GuestMisbehaved,
            "no valid control message",
        ),
        (First::Closes, ErrorCode::GuestSilent, "closed the channel"),
        (
            First::IsSilent,
            ErrorCode::GuestSilent,
            "silent past the deadline",
        ),
    ];
    for (first, code, reason) in cases {
        let script = async |channel| {
            let mut guest = Guest::new(channel);
            guest.bounds_asked().await;
            match first {
                First::Says(message) => guest.say(message).await,
                First::Sends(bytes) => guest.raw(bytes).await,
                First::Closes => guest.hang_up().await,
                First::IsSilent => {}
            }
            guest
        };
        let (sandbox, _guest, seen) = begin(script).await;
        let error = sandbox.err().unwrap();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        seen.destroying.close();
        seen.destroying.wait().await;
        assert!(seen.vm_gone.load(Ordering::SeqCst));
        assert!(seen.events.all().is_empty(), "it never began");
        assert_eq!(seen.metrics.vms_alive.get(), 0);
    }
}
