use super::*;
use proptest::prelude::*;
use protocol::bytes::Bytes;
use protocol::wire::LimitName;
use std::time::Duration;

fn limits() -> JobLimits {
    JobLimits {
        timeout: Duration::from_secs(1),
        compile_timeout: Duration::from_secs(1),
        cpu: Duration::from_secs(1),
        memory_mib: 512,
        vcpus: 1,
        pids: 10,
        output_bytes: 100,
        file_size_bytes: 100,
        tmpfs_mib: 1,
        open_files: 10,
        artifact_bytes: 100,
    }
}

fn talk() -> Conversation {
    Conversation::new(TraceId::parse("t").unwrap(), false, limits())
}

fn running() -> Conversation {
    let mut talk = talk();
    let started = talk.on(GuestMessage::Started {
        phase: Phase::Execute,
    });
    assert_eq!(started, Ok(Decision::Deadline(Phase::Execute)));
    talk
}

fn report() -> JobReport {
    JobReport {
        trace_id: "t".into(),
        phase: Phase::Execute,
        ending: Ending::Exited,
        exit_code: Some(0),
        signal: None,
        stdout_truncated: false,
        stderr_truncated: false,
        artifacts_truncated: false,
        compile_micros: 0,
        execute_micros: 1,
        cpu_micros: 1,
        memory_peak_bytes: 1,
        pids_refused: 0,
        zygote: false,
        session: None,
    }
}

fn stdout(data: &[u8]) -> GuestMessage {
    GuestMessage::Stdout { data: data.into() }
}

fn artifact(path: &str, data: &[u8], last: bool) -> GuestMessage {
    GuestMessage::Artifact {
        path: path.into(),
        data: data.into(),
        last,
    }
}

#[test]
fn output_over_the_limit_is_dropped_and_said() {
    let mut talk = running();
    talk.on(stdout(&[b'a'; 90])).unwrap();
    assert_eq!(
        talk.on(stdout(&[b'b'; 90])).unwrap(),
        Decision::Output(Stream::Stdout, vec![b'b'; 10])
    );
    assert_eq!(talk.on(stdout(b"c")).unwrap(), Decision::Wait);
    assert_eq!(
        (talk.stdout.bytes.len(), talk.stdout.truncated),
        (100, true)
    );
}

#[test]
fn an_honest_talk_with_a_compiler_goes_through() {
    let mut talk = Conversation::new(TraceId::parse("t").unwrap(), true, limits());
    for phase in [Phase::Compile, Phase::Execute] {
        assert_eq!(
            talk.on(GuestMessage::Started { phase }).unwrap(),
            Decision::Deadline(phase)
        );
    }
    assert!(matches!(
        talk.on(GuestMessage::Finished(Box::new(report()))),
        Ok(Decision::Over(_))
    ));
}

#[test]
fn forged_reports_are_refused() {
    let forge = |change: fn(&mut JobReport)| {
        let mut forged = report();
        change(&mut forged);
        running().on(GuestMessage::Finished(Box::new(forged)))
    };
    for change in [
        (|r| r.trace_id = "other".into()) as fn(&mut JobReport),
        |r| r.phase = Phase::Compile,
        |r| r.exit_code = Some(1_000_000_000),
        |r| r.exit_code = Some(-1),
        |r| r.exit_code = None,
        |r| r.signal = Some(9),
        |r| {
            r.exit_code = None;
            r.signal = Some(65);
        },
    ] {
        assert!(forge(change).is_err());
    }
    assert!(
        forge(|r| {
            r.exit_code = None;
            r.ending = Ending::Limit {
                limit: LimitName::Memory,
                value: 1,
            };
        })
        .is_ok()
    );
}

#[test]
fn messages_out_of_place_are_refused() {
    assert!(talk().on(stdout(b"x")).is_err());
    assert!(
        talk()
            .on(GuestMessage::Finished(Box::new(report())))
            .is_err()
    );
    assert!(
        talk()
            .on(GuestMessage::Started {
                phase: Phase::Compile
            })
            .is_err()
    );
    for message in [
        GuestMessage::Hello { protocol: 1 },
        GuestMessage::Warmed,
        GuestMessage::Awake,
        GuestMessage::Started {
            phase: Phase::Execute,
        },
        GuestMessage::Files { files: vec![] },
        GuestMessage::FileDone { error: None },
        GuestMessage::StdinTaken { bytes: 1 },
        stdout(&vec![0; MAX_CHUNK_BYTES + 1]),
        GuestMessage::Refused { reason: "x".into() },
    ] {
        assert!(running().on(message.clone()).is_err(), "{message:?}");
    }
}

#[test]
fn an_agent_may_refuse_a_job_before_it_starts_and_give_up_at_any_time() {
    let reason = || "\u{1b}[2J".repeat(10_000);
    let refused = talk().on(GuestMessage::Refused { reason: reason() });
    let failed = running().on(GuestMessage::Failed { reason: reason() });
    let (Ok(Decision::Refused(words)), Ok(Decision::AgentFailed(others))) = (refused, failed)
    else {
        panic!("neither is a violation");
    };
    assert_eq!(words, others);
    assert!(
        words.len() < 5000 && words.starts_with("\\u{1b}[2J"),
        "{words}"
    );
}

#[test]
fn artifacts_come_whole_in_order_and_stay_in_their_folder() {
    let mut talk = running();
    for (data, last) in [(b"ab".as_slice(), false), (b"c", true)] {
        talk.on(artifact("d/plot.png", data, last)).unwrap();
    }
    assert_eq!(talk.artifacts[0].data, Bytes(b"abc".to_vec()));
    assert_eq!(talk.artifacts[0].size, 3);
    for path in ["../../etc/passwd", "/etc/passwd", "a\0", &"x".repeat(4096)] {
        assert!(running().on(artifact(path, b"", true)).is_err(), "{path:?}");
    }
    assert!(talk.on(artifact("d/plot.png", b"", true)).is_err());
    let mut mixed = running();
    mixed.on(artifact("a", b"1", false)).unwrap();
    assert!(mixed.on(artifact("b", b"1", false)).is_err());
    assert!(running().on(artifact("a", &[0; 101], true)).is_err());
}

proptest! {
    #[test]
    fn memory_is_bounded_whatever_the_guest_prints(
        chunks in proptest::collection::vec((any::<bool>(), 0usize..300), 0..50),
    ) {
        let mut talk = running();
        for (err, size) in chunks {
            let data: Bytes = vec![b'x'; size].into();
            let message = if err { GuestMessage::Stderr { data } } else { GuestMessage::Stdout { data } };
            prop_assert!(talk.on(message).is_ok());
        }
        prop_assert!(talk.stdout.bytes.len() <= 100 && talk.stderr.bytes.len() <= 100);
    }

    #[test]
    fn stdin_never_exceeds_its_window(steps in proptest::collection::vec((any::<bool>(), 0usize..100_000), 0..50)) {
        let mut talk = running();
        let mut in_flight = 0;
        for (send, bytes) in steps {
            if send {
                let bytes = bytes.min(talk.stdin_room());
                talk.sent_stdin(bytes);
                in_flight += bytes;
            } else if talk.on(GuestMessage::StdinTaken { bytes: bytes as u64 }).is_ok() {
                prop_assert!(bytes <= in_flight);
                in_flight -= bytes;
            }
            prop_assert_eq!(talk.stdin_room() + in_flight, STDIN_WINDOW_BYTES);
        }
    }
}
