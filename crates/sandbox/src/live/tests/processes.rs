//! Processes of an honest guest: started, followed, written to, ended.

use super::guest::{Guest, open, report, spec, started};
use crate::live::*;
use protocol::link::Event;
use protocol::supervisor::{
    GuestControl, HostControl, INPUT_WINDOW_BYTES, MAX_FOLLOWERS, MAX_PROCESSES, StartStep,
};

/// What a process' input takes at once, in bytes.
const WINDOW: usize = INPUT_WINDOW_BYTES as usize;

fn piece(offset: u64, kind: OutputKind, text: &str) -> Option<OutputPiece> {
    let data = text.as_bytes().to_vec();
    Some(OutputPiece { offset, kind, data })
}

#[tokio::test(start_paused = true)]
async fn a_process_is_started_followed_and_waited_for() {
    let (sandbox, mut guest, _seen) = open().await;
    let (id, stdin) = started(&sandbox, &mut guest, Stdin::Empty).await;
    assert_eq!(stdin, None);
    let info = sandbox.process(id).unwrap();
    assert_eq!(
        (info.pid, &*info.argv, info.report),
        (101, &["cat".to_owned()][..], None)
    );
    let script = async {
        let stream = guest.follows().await;
        guest.send(stream, b"\x01out").await;
        guest.send(stream, b"\x02e").await;
        guest.send(stream, b"\x01x").await;
        guest
            .say(GuestControl::Ended {
                process: id,
                report: report(),
            })
            .await;
        guest.end(stream).await;
    };
    let follow = async {
        let mut output = sandbox.follow(id, 5).await.unwrap();
        assert_eq!(output.from(), 5);
        let mut pieces = Vec::new();
        loop {
            match output.next().await.unwrap() {
                None => return pieces,
                piece => pieces.push(piece),
            }
        }
    };
    let (ended, pieces, ()) = tokio::join!(sandbox.wait(id), follow, script);
    assert_eq!(ended, Ok(report()));
    let expected = [
        piece(5, OutputKind::Stdout, "out"),
        piece(8, OutputKind::Stderr, "e"),
        piece(9, OutputKind::Stdout, "x"),
    ];
    assert_eq!(pieces, expected);
    assert_eq!(sandbox.processes()[0].report, Some(report()));
    sandbox.forget(id).await.unwrap();
    assert!(matches!(guest.asked().await, HostControl::Forget { process } if process == id));
    assert_eq!(sandbox.processes(), []);
    assert_eq!(sandbox.wait(id).await, Err(LiveError::NoProcess { id }));
    assert_eq!(sandbox.wait_followed(id).await, Ok(report()));
    let unknown = Err(LiveError::NoProcess { id: 99 });
    assert_eq!(sandbox.wait_followed(99).await, unknown);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_start_says_why_and_is_not_known() {
    let (sandbox, mut guest, _seen) = open().await;
    let script = async {
        let start = guest.start_asked().await;
        let reason = "no such program".into();
        guest
            .say(GuestControl::NotStarted {
                process: start.process,
                step: StartStep::Launch,
                reason,
            })
            .await;
        assert_eq!(guest.event().await, Some(Event::End(start.stdin.unwrap())));
    };
    let (started, ()) = tokio::join!(sandbox.start(spec(Stdin::Open)), script);
    assert_eq!(
        started,
        Err(LiveError::NotStarted("no such program".into()))
    );
    assert_eq!(sandbox.processes(), []);
    assert_eq!(sandbox.process(1), Err(LiveError::NoProcess { id: 1 }));
    let without = ProcessSpec {
        argv: vec![],
        ..spec(Stdin::Empty)
    };
    let large = ProcessSpec {
        argv: vec!["x".repeat(1 << 20)],
        ..spec(Stdin::Empty)
    };
    for spec in [without, large] {
        assert!(matches!(
            sandbox.start(spec).await,
            Err(LiveError::NotStarted(_))
        ));
    }
}

/// Its output ends with the news, before whoever asked has heard of them and let go of it.
#[tokio::test(start_paused = true)]
async fn a_followed_process_that_does_not_start_costs_nobody_else_anything() {
    let (sandbox, mut guest, _seen) = open().await;
    let script = async {
        let start = guest.start_asked().await;
        let process = start.process;
        let (step, reason) = (StartStep::Launch, "no such program".into());
        for message in [
            GuestControl::Starting { process },
            GuestControl::NotStarted {
                process,
                step,
                reason,
            },
        ] {
            guest.link.control(&message).unwrap();
        }
        guest.link.end(start.output.unwrap());
        guest.flush().await;
    };
    let asked = sandbox.start_followed(spec(Stdin::Empty));
    let (refused, ()) = tokio::join!(asked, script);
    assert!(matches!(refused, Err(LiveError::NotStarted(_))));
    started(&sandbox, &mut guest, Stdin::Empty).await;
}

/// More than one window for one follower, while another takes nothing.
#[tokio::test(start_paused = true)]
async fn a_slow_follower_holds_up_no_other() {
    let (sandbox, mut guest, _seen) = open().await;
    let (id, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    let (slow, from_slow) = tokio::join!(sandbox.follow(id, 0), guest.follows());
    let (fast, from_fast) = tokio::join!(sandbox.follow(id, 3), guest.follows());
    let (mut slow, mut fast) = (slow.unwrap(), fast.unwrap());
    let record = [&[1][..], &[b'x'; 16 * 1024 - 1]].concat();
    for _ in 0..4 {
        guest.send(from_slow, &record).await;
    }
    let script = async {
        for _ in 0..20 {
            guest.send(from_fast, &record).await;
        }
        guest.end(from_fast).await;
    };
    let read = async {
        let mut bytes = 0;
        while let Some(piece) = fast.next().await.unwrap() {
            assert_eq!(piece.offset, 3 + bytes);
            bytes += piece.data.len() as u64;
        }
        bytes
    };
    let (bytes, ()) = tokio::join!(read, script);
    assert_eq!(bytes, 20 * (16 * 1024 - 1));
    assert_eq!(guest.link.room(from_slow), 0, "nothing was used");
    slow.next().await.unwrap();
    slow.next().await.unwrap();
    assert_eq!(guest.event().await, Some(Event::Room(from_slow)));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_is_dropped_is_refused_and_the_process_goes_on() {
    let (sandbox, mut guest, _seen) = open().await;
    let (id, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    let (output, stream) = tokio::join!(sandbox.follow(id, 0), guest.follows());
    guest.send(stream, b"\x01lost").await;
    drop(output);
    assert_eq!(guest.event().await, Some(Event::Refused(stream)));
    // One that nobody waits for any more when it begins.
    {
        let mut follow = std::pin::pin!(sandbox.follow(id, 0));
        tokio::select! {
            biased;
            _ = &mut follow => panic!("nothing began"),
            () = tokio::task::yield_now() => {}
        }
    }
    let stream = guest.follows().await;
    assert_eq!(guest.event().await, Some(Event::Room(stream)));
    assert_eq!(guest.event().await, Some(Event::Refused(stream)));
    guest
        .say(GuestControl::Ended {
            process: id,
            report: report(),
        })
        .await;
    assert_eq!(sandbox.wait(id).await, Ok(report()));
    assert!(sandbox.is_alive());
}

/// What comes in on a stream, to its end or to so many bytes.
async fn take(guest: &mut Guest, bytes: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    while taken.len() < bytes {
        match guest.event().await {
            Some(Event::Data(stream, data)) => {
                guest.link.used(stream, data.len());
                taken.extend(data);
            }
            Some(Event::Room(_)) => {}
            Some(Event::End(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn input_waits_for_credit_and_holds_up_nobody() {
    let (sandbox, mut guest, _seen) = open().await;
    let (slow, _) = started(&sandbox, &mut guest, Stdin::Open).await;
    let (other, _) = started(&sandbox, &mut guest, Stdin::Open).await;
    let begun = std::sync::atomic::AtomicBool::new(false);
    let large = vec![b'a'; 2 * WINDOW - 1];
    let write = async {
        sandbox.write(slow, &large).await.unwrap();
        assert!(
            begun.load(std::sync::atomic::Ordering::SeqCst),
            "credit was needed"
        );
        sandbox.close_stdin(slow).await.unwrap();
        let closed = sandbox.write(slow, b"x").await;
        assert_eq!(closed, Err(LiveError::StdinClosed));
    };
    let script = async {
        // The slow one's bytes are there, and not used.
        let Some(Event::Data(stream, first)) = guest.event().await else {
            panic!()
        };
        let mut ahead = first.len();
        while ahead < WINDOW {
            match guest.event().await {
                Some(Event::Data(_, more)) => ahead += more.len(),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(ahead, WINDOW);
        sandbox.write(other, b"quick").await.unwrap();
        assert_eq!(take(&mut guest, 5).await, b"quick");
        begun.store(true, std::sync::atomic::Ordering::SeqCst);
        guest.link.used(stream, WINDOW);
        let rest = take(&mut guest, usize::MAX).await;
        assert_eq!(ahead + rest.len(), large.len());
    };
    tokio::join!(write, script);
    let without = started(&sandbox, &mut guest, Stdin::Empty).await.0;
    assert_eq!(
        sandbox.write(without, b"x").await,
        Err(LiveError::StdinClosed)
    );
    let unknown = Err(LiveError::NoProcess { id: 99 });
    assert_eq!(sandbox.write(99, b"x").await, unknown);
    assert_eq!(sandbox.close_stdin(99).await, unknown);
}

#[tokio::test(start_paused = true)]
async fn who_writes_hears_that_nothing_more_is_taken() {
    for is_refused in [true, false] {
        let (sandbox, mut guest, _seen) = open().await;
        let (id, stdin) = started(&sandbox, &mut guest, Stdin::Open).await;
        let script = async {
            assert!(matches!(guest.event().await, Some(Event::Data(..))));
            match is_refused {
                true => guest.link.refuse(stdin.unwrap()),
                false => {
                    guest
                        .say(GuestControl::Ended {
                            process: id,
                            report: report(),
                        })
                        .await
                }
            }
            guest.flush().await;
        };
        let (written, ()) = tokio::join!(sandbox.write(id, &[0; 2 * WINDOW]), script);
        assert_eq!(written, Err(LiveError::StdinClosed));
        assert_eq!(sandbox.write(id, b"x").await, Err(LiveError::StdinClosed));
        assert!(sandbox.is_alive());
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_dropped_leaves_room_for_the_next() {
    let (sandbox, mut guest, _seen) = open().await;
    let (id, _) = started(&sandbox, &mut guest, Stdin::Open).await;
    let long = std::time::Duration::from_secs(1);
    let large = [vec![b'a'; WINDOW], vec![b'b'; WINDOW]].concat();
    let dropped = tokio::time::timeout(long, sandbox.write(id, &large)).await;
    assert!(dropped.is_err());
    let (written, taken) = tokio::join!(sandbox.write(id, b"cc"), take(&mut guest, WINDOW + 2));
    assert_eq!(written, Ok(()));
    assert_eq!(taken, [vec![b'a'; WINDOW], b"cc".to_vec()].concat());
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_of_a_process_needs_one_that_fits() {
    let (sandbox, mut guest, _seen) = open().await;
    let (id, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    let size = TerminalSize {
        rows: 1,
        columns: 2,
    };
    assert_eq!(sandbox.resize(id, size).await, Err(LiveError::NoTerminal));
    assert_eq!(sandbox.forget(id).await, Err(LiveError::StillRunning));
    let unknown = LiveError::NoProcess { id: 99 };
    assert_eq!(sandbox.forget(99).await, Err(unknown.clone()));
    assert_eq!(
        sandbox.signal(99, 9, SignalTarget::All).await,
        Err(unknown.clone())
    );
    assert_eq!(sandbox.resize(99, size).await, Err(unknown.clone()));
    assert_eq!(sandbox.follow(99, 0).await.map(drop), Err(unknown));
    sandbox.signal(id, 15, SignalTarget::Group).await.unwrap();
    let asked = guest.asked().await;
    let expected = HostControl::Signal {
        process: id,
        signal: 15,
        to: SignalTarget::Group,
    };
    assert_eq!(asked, expected);
    let terminal = ProcessSpec {
        terminal: Some(size),
        ..spec(Stdin::Empty)
    };
    let (id, (_, stdin)) = tokio::join!(sandbox.start(terminal), guest.starts());
    assert!(stdin.is_some(), "a terminal has an input");
    let process = id.unwrap();
    sandbox.resize(process, size).await.unwrap();
    assert_eq!(guest.asked().await, HostControl::Resize { process, size });
}

#[tokio::test(start_paused = true)]
async fn processes_and_followers_are_bounded() {
    let (sandbox, mut guest, _seen) = open().await;
    for _ in 0..MAX_PROCESSES {
        started(&sandbox, &mut guest, Stdin::Empty).await;
    }
    let one_more = sandbox.start(spec(Stdin::Empty)).await;
    assert_eq!(
        one_more,
        Err(LiveError::TooManyProcesses { max: MAX_PROCESSES })
    );
    guest
        .say(GuestControl::Ended {
            process: 1,
            report: report(),
        })
        .await;
    sandbox.wait(1).await.unwrap();
    sandbox.forget(1).await.unwrap();
    guest.asked().await;
    let (id, _) = started(&sandbox, &mut guest, Stdin::Empty).await;
    assert_eq!(id as usize, MAX_PROCESSES + 1, "no id is used again");
    let mut outputs = Vec::new();
    for _ in 0..MAX_FOLLOWERS {
        outputs.push(tokio::join!(sandbox.follow(id, 0), guest.follows()));
    }
    let too_many = |result: Result<Output, LiveError>| {
        matches!(
            result,
            Err(LiveError::TooMany {
                max: MAX_FOLLOWERS,
                ..
            })
        )
    };
    assert!(too_many(sandbox.follow(id, 0).await));
    let (output, stream) = outputs.pop().unwrap();
    drop(output);
    assert!(
        too_many(sandbox.follow(id, 0).await),
        "it is open on the link"
    );
    loop {
        match guest.event().await.unwrap() {
            Event::Room(_) => {}
            other => break assert_eq!(other, Event::Refused(stream)),
        }
    }
    // Its end, and a word by which to see that the host has read it.
    guest
        .say(GuestControl::Ended {
            process: 2,
            report: report(),
        })
        .await;
    sandbox.wait(2).await.unwrap();
    let (output, _) = tokio::join!(sandbox.follow(id, 0), guest.follows());
    assert!(output.is_ok());
}
