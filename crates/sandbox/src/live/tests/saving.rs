//! A sandbox that is saved, and goes on, with a guest that is scripted.

use super::guest::{Guest, go_on, open, report, spec, started};
use crate::error::JobError;
use crate::live::*;
use protocol::error_code::ErrorCode;
use protocol::link::Event;
use protocol::supervisor::{GuestControl, HostControl, INPUT_WINDOW_BYTES, Resume};
use std::sync::atomic::Ordering;
use std::time::Duration;

fn gone() -> LiveError {
    LiveError::Gone("it was paused".into())
}

/// What the guest hears next, up to `Hold`, with what came for its processes.
async fn hold_asked(guest: &mut Guest) -> Vec<Event> {
    let mut before = Vec::new();
    loop {
        match guest.event().await.unwrap() {
            Event::Control(body) => match serde_json::from_slice(&body).unwrap() {
                HostControl::Dismiss { except: None } => {}
                HostControl::Hold => return before,
                other => panic!("{other:?}"),
            },
            other => before.push(other),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_said_arrives_before_the_guest_lets_go_and_everybody_hears() {
    let (sandbox, mut guest, seen) = open().await;
    let (first, stdin) = started(&sandbox, &mut guest, Stdin::Open).await;
    let (second, _) = started(&sandbox, &mut guest, Stdin::Open).await;
    let (third, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    let (output, _) = tokio::join!(sandbox.follow(first, 0), guest.follows());
    let mut output = output.unwrap();
    // On their way when it is to be saved.
    sandbox.write(first, b"a line").await.unwrap();
    sandbox.close_stdin(second).await.unwrap();
    let waits = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { sandbox.wait(first).await.unwrap_err() }
    });
    let dir = tempfile::tempdir().unwrap();
    let script = async {
        let before = hold_asked(&mut guest).await;
        assert!(
            before.contains(&Event::Data(stdin.unwrap(), b"a line".to_vec())),
            "{before:?}"
        );
        let process = third;
        let report = report();
        guest.say(GuestControl::Ended { process, report }).await;
        guest.say(GuestControl::Quiet).await;
    };
    let (saved, ()) = tokio::join!(sandbox.save(dir.path()), script);
    let held = saved.unwrap();
    assert!(dir.path().join("vm").exists());
    assert!(seen.vm_gone.load(Ordering::SeqCst) && !sandbox.is_alive());
    assert_eq!(waits.await.unwrap(), gone());
    assert_eq!(output.next().await, Err(gone()));
    assert_eq!(sandbox.start(spec(Stdin::Empty)).await, Err(gone()));
    let ends: Vec<_> = held
        .processes()
        .map(|info| (info.id, info.report.is_some()))
        .collect();
    assert_eq!(ends, [(first, false), (second, false), (third, true)]);
    // A second one finds it gone.
    assert!(sandbox.save(dir.path()).await.is_err());
    // It is plain data.
    let text = serde_json::to_string(&held).unwrap();
    assert_eq!(serde_json::from_str::<HeldGuest>(&text).unwrap(), held);
}

/// A sandbox with a process that reads, and one whose input ended, as it was saved.
async fn saved() -> HeldGuest {
    let (sandbox, mut guest, _seen) = open().await;
    started(&sandbox, &mut guest, Stdin::Open).await;
    started(&sandbox, &mut guest, Stdin::Empty).await;
    let dir = tempfile::tempdir().unwrap();
    let script = async {
        hold_asked(&mut guest).await;
        guest.say(GuestControl::Quiet).await;
    };
    tokio::join!(sandbox.save(dir.path()), script).0.unwrap()
}

/// Takes the guest through what its host says first; its names, and the streams that were attached.
async fn taken_up(guest: &mut Guest) -> (Box<Resume>, Vec<(ProcessId, u32)>) {
    let HostControl::Resume(resume) = guest.asked().await else {
        panic!("no resume");
    };
    let mut attached = Vec::new();
    loop {
        match guest.asked().await {
            HostControl::Attach {
                process,
                stdin: Some(stream),
                orders: None,
            } => {
                guest.link.open_incoming_granted(stream, INPUT_WINDOW_BYTES);
                attached.push((process, stream));
            }
            HostControl::Supervise(_) => return (resume, attached),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_with_its_processes_and_a_copy_has_names_of_its_own() {
    let held = saved().await;
    let mut names = Vec::new();
    for renewal in [Renewal::Itself, Renewal::Itself, Renewal::Copy] {
        let (sandbox, (mut guest, attached), _seen) = go_on(&held, renewal, async |guest| {
            let (resume, attached) = taken_up(guest).await;
            names.push((resume.hostname, resume.boot_id, resume.entropy));
            attached
        })
        .await;
        let sandbox = sandbox.unwrap();
        let [(process, stream)] = attached[..] else {
            panic!("{attached:?}");
        };
        assert_eq!(sandbox.processes().len(), 2);
        sandbox.write(process, b"more").await.unwrap();
        let came = guest.event().await.unwrap();
        assert_eq!(came, Event::Data(stream, b"more".to_vec()));
        // Names of processes are never used again.
        let (id, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
        assert_eq!(id, 3);
        // An end that came between the links.
        let ended = GuestControl::Ended {
            process,
            report: report(),
        };
        let (ended, ()) = tokio::join!(sandbox.wait(process), guest.say(ended));
        assert_eq!(ended, Ok(report()));
    }
    assert_eq!(names[0].0, names[1].0);
    assert_eq!(names[0].1, names[1].1);
    // Its host name is its VM's, and these have one name.
    assert!(names[0].1 != names[2].1);
    let seeds: std::collections::HashSet<_> = names.iter().map(|(_, _, seed)| &seed.0).collect();
    assert_eq!(seeds.len(), 3);
}

async fn refused(what: Option<GuestControl>) -> JobError {
    let (sandbox, mut guest, seen) = open().await;
    let dir = tempfile::tempdir().unwrap();
    let script = async {
        hold_asked(&mut guest).await;
        match what {
            Some(what) => guest.say(what).await,
            None => tokio::time::sleep(Duration::from_secs(3600)).await,
        }
    };
    let (saved, ()) = tokio::join!(sandbox.save(dir.path()), script);
    assert!(seen.vm_gone.load(Ordering::SeqCst) && !sandbox.is_alive());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    saved.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_does_not_hold_still_is_not_saved() {
    assert_eq!(refused(None).await.code(), ErrorCode::GuestSilent);
    let process = 7;
    let lies = [
        GuestControl::Ready,
        GuestControl::Cleared,
        GuestControl::Starting { process },
    ];
    for lie in lies {
        let refused = refused(Some(lie.clone())).await;
        assert_eq!(refused.code(), ErrorCode::GuestMisbehaved, "{lie:?}");
    }
}
