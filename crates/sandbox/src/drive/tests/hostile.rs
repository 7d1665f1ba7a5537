//! Guests that are silent, that forge, that flood, that break the protocol: each job ends in time, with what is to be told.

use super::*;
use protocol::collection;
use protocol::link::{Frame, MAX_DATA_BYTES};
use protocol::supervisor::StartStep;
use protocol::wire::LimitName;

/// When the host has waited long enough for a program that began.
const GIVEN_UP: Duration = Duration::from_millis(3800);

#[tokio::test(start_paused = true)]
async fn a_guest_that_never_begins_is_given_up_and_its_job_may_go_elsewhere() {
    type Silent = fn(&mut Guest) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
    let cases: [Silent; 3] = [
        |_| Box::pin(async {}),
        |guest| Box::pin(async { guest.bounds_asked().await }),
        |guest| Box::pin(async { drop(guest.program_asked().await) }),
    ];
    for silent in cases {
        let driven = driven(async |guest| silent(guest).await).await;
        assert_eq!(driven.failure().code(), ErrorCode::GuestSilent);
        assert!(never_began(&driven.heard, &driven.end));
        assert_eq!(driven.took.as_secs(), START_DEADLINE.as_secs());
    }
}

/// How far a guest goes before it falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Starting,
    Following,
    Printed,
    Ended,
    OutputOver,
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_falls_silent_meets_the_hosts_own_deadline() {
    use Until::{Ended, Following, OutputOver, Printed, Starting};
    for until in [Starting, Following, Printed, Ended, OutputOver] {
        let driven = driven(async |guest| {
            let start = guest.program_asked().await;
            let process = start.process;
            if until == Starting {
                return guest.say(GuestControl::Starting { process }).await;
            }
            let output = guest.begins(process, start.output).await;
            if until != Following {
                guest
                    .send(output, &record(OutputKind::Stdout, b"out"))
                    .await;
            }
            let report = report();
            match until {
                Ended => guest.say(GuestControl::Ended { process, report }).await,
                OutputOver => guest.end(output).await,
                _ => {}
            }
        })
        .await;
        let TalkEnd::HostDeadline { phase, wall } = driven.end else {
            panic!("{until:?}: {:?}", driven.end);
        };
        assert_eq!(phase, Phase::Execute);
        assert_eq!(wall.as_millis(), GIVEN_UP.as_millis(), "{until:?}");
        let printed = !matches!(until, Starting | Following);
        assert_eq!(!driven.heard.stdout.bytes.is_empty(), printed, "{until:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_hands_nothing_out_is_given_up() {
    for half in [&b""[..], b"\0\x01a\0\0\0\x09half"] {
        let driven = driven(async |guest| {
            let (process, output) = guest.running().await;
            guest.ends(process, output, report()).await;
            let (_, stream) = guest.collection_asked().await;
            if !half.is_empty() {
                guest.send(stream, half).await;
            }
        })
        .await;
        assert_eq!(driven.failure().code(), ErrorCode::GuestSilent);
        assert!(!never_began(&driven.heard, &driven.end), "it ran");
        assert_eq!(driven.took.as_secs(), COLLECT_DEADLINE.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_hangs_up_has_no_report() {
    let driven = driven(async |guest| {
        guest.running().await;
        guest.hang_up().await;
    })
    .await;
    let why = driven.failure().to_string();
    assert!(why.contains("the guest closed the channel"), "{why}");
}

/// What is said of a program that runs: its process, its output.
type Breach = fn(ProcessId, StreamId) -> Vec<Frame>;

fn control(message: GuestControl) -> Frame {
    Frame::control(&message).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_breaks_the_protocol_loses_its_job() {
    let cases: [(Breach, &str); 11] = [
        (
            |process, _| vec![control(GuestControl::Starting { process })],
            "not to start",
        ),
        (
            |process, _| vec![control(GuestControl::Started { process, pid: 1 })],
            "not to start",
        ),
        (
            |_, _| {
                let report = report();
                vec![control(GuestControl::Ended {
                    process: 99,
                    report,
                })]
            },
            "did not run",
        ),
        (
            |process, _| {
                let report = report();
                vec![control(GuestControl::Ended { process, report }); 2]
            },
            "did not run",
        ),
        (
            |process, _| {
                let (step, reason) = (StartStep::Files, "no".into());
                vec![control(GuestControl::NotStarted {
                    process,
                    step,
                    reason,
                })]
            },
            "did not start what was not to start",
        ),
        (|_, _| vec![control(GuestControl::Quiet)], "was not asked"),
        (
            |_, _| vec![control(GuestControl::Hello { protocol: 1 })],
            "hello twice",
        ),
        (
            |_, output| vec![Frame::End(output), Frame::Data(output, vec![1, 1])],
            "is not open",
        ),
        (|_, output| vec![Frame::Data(output, vec![3, 1])], "has not"),
        (|_, _| vec![Frame::Data(99, vec![1, 1])], "is not open"),
        (
            |_, _| vec![Frame::Control(b"{}".to_vec())],
            "no valid control message",
        ),
    ];
    for (number, (breach, reason)) in cases.into_iter().enumerate() {
        let driven = driven(async |guest| {
            let (process, output) = guest.running().await;
            let mut bytes = Vec::new();
            for frame in breach(process, output) {
                frame.write_to(&mut bytes);
            }
            guest.raw(&bytes).await;
        })
        .await;
        let error = driven.failure();
        assert_eq!(
            error.code(),
            ErrorCode::GuestMisbehaved,
            "{number}: {error}"
        );
        assert!(error.to_string().contains(reason), "{number}: {error}");
        assert!(driven.took < TIMEOUT, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn forged_reports_are_refused_and_limits_believed() {
    type Forgery = fn(&mut ProcessReport);
    let cases: [(Forgery, bool); 7] = [
        (|it| it.exit_code = Some(1_000_000_000), false),
        (|it| it.exit_code = Some(-1), false),
        (|it| it.exit_code = None, false),
        (|it| it.signal = Some(9), false),
        (|it| (it.exit_code, it.signal) = (None, Some(65)), false),
        (|it| (it.exit_code, it.signal) = (None, Some(9)), true),
        (
            |it| {
                it.exit_code = None;
                it.ending = Ending::Limit {
                    limit: LimitName::Memory,
                    value: u64::MAX,
                };
            },
            true,
        ),
    ];
    for (number, (forge, is_believed)) in cases.into_iter().enumerate() {
        let driven = driven(async |guest| {
            let (process, output) = guest.running().await;
            let mut forged = report();
            forge(&mut forged);
            guest.ends(process, output, forged).await;
            let mut nothing = Vec::new();
            collection::end(&mut nothing);
            guest.hands_out(&nothing).await;
        })
        .await;
        match is_believed {
            true => assert!(driven.report().executed.is_some(), "{number}"),
            false => assert_eq!(
                driven.failure().code(),
                ErrorCode::GuestMisbehaved,
                "{number}"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_that_never_starts_says_why_escaped() {
    let reason = || "\u{1b}[2J".repeat(10_000);
    for (step, code) in [
        (StartStep::Files, None),
        (StartStep::Adopt, Some(ErrorCode::GuestMisbehaved)),
        (StartStep::Launch, Some(ErrorCode::AgentFailed)),
    ] {
        let driven = driven(async |guest| {
            let process = guest.program_asked().await.process;
            let reason = reason();
            guest
                .say(GuestControl::NotStarted {
                    process,
                    step,
                    reason,
                })
                .await;
        })
        .await;
        let words = match (&driven.end, code) {
            (TalkEnd::Refused(words), None) => words.clone(),
            (TalkEnd::Failed(error), Some(code)) if error.code() == code => error.to_string(),
            other => panic!("{step:?}: {other:?}"),
        };
        let is_plain = !words.contains('\u{1b}') && words.len() < 5000;
        assert!(is_plain, "{step:?}: {words}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_kept_to_the_limit_and_ends_with_the_job() {
    let driven = driven(async |guest| {
        let (_, output) = guest.running().await;
        loop {
            guest
                .send(output, &record(OutputKind::Stdout, &[b'A'; 30_000]))
                .await;
            // A guest's own CPU is not free either.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(matches!(driven.end, TalkEnd::HostDeadline { .. }));
    assert_eq!(driven.heard.stdout.bytes.len() as u64, OUTPUT_BYTES);
    assert!(driven.heard.stdout.truncated && !driven.heard.stderr.truncated);
    assert_eq!(driven.took.as_millis(), GIVEN_UP.as_millis());
}

/// Nobody takes it before the program begins.
#[tokio::test(start_paused = true)]
async fn a_flood_beyond_the_window_ends_the_job() {
    for (frames, is_beyond) in [(2, false), (3, true)] {
        let driven = driven(async |guest| {
            let stream = guest.program_asked().await.output.unwrap();
            guest.say(GuestControl::Following { stream, from: 0 }).await;
            let mut bytes = Vec::new();
            Frame::Data(stream, vec![1; MAX_DATA_BYTES]).write_to(&mut bytes);
            guest.raw(&bytes.repeat(frames)).await;
        })
        .await;
        let (code, reason) = match is_beyond {
            true => (ErrorCode::GuestMisbehaved, "beyond its credit"),
            false => (ErrorCode::GuestSilent, "did not start the job"),
        };
        let error = driven.failure();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_job_left_stays_in_its_folder_and_its_bounds() {
    let file = |path: &str, bytes: usize| {
        let mut file = Vec::new();
        collection::begin_file(path, &mut file);
        if bytes > 0 {
            collection::piece(&vec![7; bytes], &mut file);
        }
        collection::piece(b"", &mut file);
        file
    };
    let mut end = Vec::new();
    collection::end(&mut end);
    let many: Vec<u8> = (0..=MAX_ARTIFACTS)
        .flat_map(|n| file(&format!("f{n}"), 0))
        .collect();
    for (left, reason) in [
        (
            [file("../../etc/passwd", 1), end.clone()].concat(),
            "outside",
        ),
        ([file("/etc/passwd", 1), end.clone()].concat(), "outside"),
        ([file("a\0", 1), end.clone()].concat(), "outside"),
        (
            [file(&"x".repeat(5000), 1), end.clone()].concat(),
            "over the bound",
        ),
        ([file("a", 1), file("a", 1), end.clone()].concat(), "twice"),
        ([file("a", 101), end.clone()].concat(), "more bytes"),
        (many, "too many"),
        (file("a", 1)[..6].to_vec(), "in the middle"),
        (file("a", 1), "in the middle"),
        ([end.clone(), end.clone()].concat(), "after its end"),
    ] {
        let driven = driven(async |guest| {
            let (process, output) = guest.running().await;
            guest.ends(process, output, report()).await;
            guest.hands_out(&left).await;
        })
        .await;
        let error = driven.failure();
        assert_eq!(
            error.code(),
            ErrorCode::GuestMisbehaved,
            "{reason}: {error}"
        );
        assert!(error.to_string().contains(reason), "{reason}: {error}");
    }
}
