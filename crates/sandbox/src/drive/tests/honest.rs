//! What an honest guest says goes through.

use super::*;
use protocol::collection;
use protocol::supervisor::{INPUT_WINDOW_BYTES, StartStep};
use tokio::sync::mpsc;

fn nothing() -> Vec<u8> {
    let mut bytes = Vec::new();
    collection::end(&mut bytes);
    bytes
}

#[tokio::test(start_paused = true)]
async fn a_program_is_driven_to_its_report_and_what_it_left() {
    let mut left = Vec::new();
    collection::begin_file("d/plot.png", &mut left);
    collection::piece(b"ab", &mut left);
    collection::piece(b"c", &mut left);
    collection::piece(b"", &mut left);
    collection::end_truncated(&mut left);
    let driven = driven(async |guest| {
        let (process, output) = guest.running().await;
        guest
            .send(output, &record(OutputKind::Stdout, b"out"))
            .await;
        guest
            .send(output, &record(OutputKind::Stderr, b"err"))
            .await;
        guest.ends(process, output, report()).await;
        guest.hands_out(&left).await;
    })
    .await;
    let told = driven.report();
    assert_eq!(
        (&told.compiled, told.executed.as_ref()),
        (&None, Some(&report()))
    );
    assert!(told.artifacts_truncated && !told.zygote);
    assert_eq!(driven.heard.stdout.bytes, b"out");
    assert_eq!(driven.heard.stderr.bytes, b"err");
    let file = &driven.heard.artifacts[0];
    assert_eq!(
        (&*file.path, file.size, &file.data.0[..]),
        ("d/plot.png", 3, &b"abc"[..])
    );
}

#[tokio::test(start_paused = true)]
async fn a_compiler_comes_first_and_its_failure_is_the_jobs_end() {
    for compiles in [true, false] {
        let case = (job("rust"), JobIo::default(), vec![]);
        let driven = driven_with(case, async |guest| {
            let (process, output) = guest.running().await;
            guest
                .send(output, &record(OutputKind::Stdout, b"warning"))
                .await;
            let exit_code = Some(i32::from(!compiles));
            let compiled = ProcessReport {
                exit_code,
                ..report()
            };
            guest.ends(process, output, compiled).await;
            if compiles {
                let start = guest.start_asked().await;
                assert!(start.files.is_empty(), "they are there");
                let output = guest.begins(start.process, start.output).await;
                guest.ends(start.process, output, report()).await;
                guest.hands_out(&nothing()).await;
            }
        })
        .await;
        let told = driven.report();
        assert!(told.compiled.is_some());
        assert_eq!(told.executed.is_some(), compiles);
        assert_eq!(driven.heard.stderr.bytes, b"warning");
    }
}

/// What a template loads for its own warm-up is no neighbour of a job's: neither beside one that waited, nor beside a
/// program that none can become.
#[tokio::test(start_paused = true)]
async fn a_job_sees_no_interpreter_that_is_not_its_own() {
    for (fresh_interpreter, except) in [(false, Some(8)), (true, None)] {
        let job = Job {
            fresh_interpreter,
            ..job("python")
        };
        let case = (job, JobIo::default(), vec![7, 8]);
        let driven = driven_with(case, async |guest| {
            assert!(matches!(guest.asked().await, HostControl::Resume(_)));
            assert_eq!(guest.asked().await, HostControl::Dismiss { except });
        })
        .await;
        // It says nothing more.
        assert!(matches!(driven.end, TalkEnd::Failed(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_interpreter_that_cannot_become_it_makes_place_for_another_process() {
    let case = (job("python"), JobIo::default(), vec![7]);
    let driven = driven_with(case, async |guest| {
        guest.bounds_asked().await;
        guest.say(GuestControl::Ready).await;
        let HostControl::Adopt(adopt) = guest.asked().await else {
            panic!("it waits");
        };
        assert_eq!((adopt.process, adopt.files.len()), (7, 1));
        for file in &adopt.files {
            guest
                .link
                .open_incoming_granted(file.stream, INPUT_WINDOW_BYTES);
        }
        guest
            .link
            .open_incoming_granted(adopt.stdin.unwrap(), INPUT_WINDOW_BYTES);
        guest.link.open_outgoing(adopt.output);
        let (process, step) = (adopt.process, StartStep::Adopt);
        let reason = "it has loaded what the program hides".into();
        guest
            .say(GuestControl::NotStarted {
                process,
                step,
                reason,
            })
            .await;
        guest.end(adopt.output).await;
        assert_eq!(guest.asked().await, HostControl::Dismiss { except: None });
        let start = guest.start_asked().await;
        assert!(start.files.is_empty(), "they are there");
        let output = guest.begins(start.process, start.output).await;
        guest.ends(start.process, output, report()).await;
        guest.hands_out(&nothing()).await;
    })
    .await;
    assert!(!driven.report().zygote);
}

#[tokio::test(start_paused = true)]
async fn input_is_fed_as_the_program_takes_it() {
    let bytes = 3 * INPUT_WINDOW_BYTES as usize;
    let io = JobIo {
        stdin: Some(Box::new(std::io::Cursor::new(vec![7; bytes]))),
        ..JobIo::default()
    };
    let driven = driven_with((job("python"), io, vec![]), async |guest| {
        let start = guest.program_asked().await;
        let output = guest.begins(start.process, start.output).await;
        let stdin = start.stdin.unwrap();
        let mut taken = 0;
        loop {
            match guest.event().await.unwrap() {
                protocol::link::Event::Data(stream, data) if stream == stdin => {
                    assert!(data.iter().all(|byte| *byte == 7));
                    taken += data.len();
                    guest.link.used(stream, data.len());
                }
                protocol::link::Event::End(stream) if stream == stdin => break,
                _ => {}
            }
        }
        assert_eq!(taken, bytes);
        guest.ends(start.process, output, report()).await;
        guest.hands_out(&nothing()).await;
    })
    .await;
    driven.report();
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_output_nobody_takes_is_stopped() {
    let (sink, outputs) = mpsc::channel(1);
    drop(outputs);
    let io = JobIo {
        output: Some(sink),
        ..JobIo::default()
    };
    let driven = driven_with((job("python"), io, vec![]), async |guest| {
        let (_, output) = guest.running().await;
        guest
            .send(output, &record(OutputKind::Stdout, b"out"))
            .await;
    })
    .await;
    assert!(driven.failure().to_string().contains("nobody takes"));
    assert!(driven.took < TIMEOUT);
}
