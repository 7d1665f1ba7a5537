//! What is small on the wire and large in memory: the dearest inputs of full size.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use peak_alloc::PeakAlloc;
use protocol::link::{Event, Frame, Link, MAX_CONTROL_BYTES, parse_control};
use protocol::result::ArtifactFile;
use protocol::supervisor::{GuestControl, MAX_METADATA_BYTES, METADATA_PREFIX};
use server::execute::response::ArtifactBody;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What one talk with a hostile guest may cost, as in the list of attacks (45 to 62).
const TALK_MIB: usize = 16;
/// What one body of the largest size may cost.
const BODY_MIB: usize = 32;
const BODY_BYTES: usize = 6 << 20;
/// How much arrives from a channel at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes of all that a job leaves, by default, and what the answer with it may cost: its bytes, once as the
/// artifact and once as the answer, which grows in steps of double size.
const ARTIFACT_BYTES: usize = 8 << 20;
const ANSWER_MIB: usize = 4 * (ARTIFACT_BYTES >> 20);

/// `head`, as many pieces as there is room for, `tail`.
struct Filled<'a>(&'a str, &'a str, &'a str);

impl Filled<'_> {
    fn to(&self, size: usize) -> Vec<u8> {
        let Filled(head, piece, tail) = self;
        let pieces = (size - head.len() - tail.len()) / piece.len();
        [head, piece.repeat(pieces).trim_end_matches(','), tail]
            .concat()
            .into_bytes()
    }
}

/// Memory is counted for the whole process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// MiB that this took at its highest.
fn cost_mib(run: impl FnOnce()) -> usize {
    let held = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    run();
    MEMORY.peak_usage().saturating_sub(held) >> 20
}

#[test]
fn no_message_of_a_guest_costs_more_than_a_talk_may() {
    let _alone = alone();
    let entries = r#"{"type":"file_done","request":1,"answer":{"type":"entries","truncated":true,"entries":["#;
    let entry = r#"{"path":"","kind":"file","size":0,"mode":0,"uid":0,"gid":0,"modified_millis":0,"target":""},"#;
    // As much as a file may have attached, and one thing.
    let begun = entry.trim_end_matches("},").to_owned() + r#","metadata":["#;
    let most = MAX_METADATA_BYTES / METADATA_PREFIX.len();
    let full = format!("{begun}{}]}},", vec![r#"["",""]"#; most].join(","));
    let described = format!("{begun}[\"a\",\"b\"]]}},");
    for filled in [
        Filled(entries, entry, "]}}"),
        Filled(entries, &full, "]}}"),
        Filled(entries, &described, "]}}"),
        Filled(entries, "{},", "]}}"),
        Filled(entries, r#"{"":""},"#, "]}}"),
        Filled(r#"{"type":"hello","protocol":["#, "0,", "]}"),
        Filled(r#"{"type":"hello","protocol":"#, "[", "}"),
        Filled(r#"{"type":"hello",""#, r#"":0,"#, r#"":0}"#),
        Filled(r#"{"type":"failed","reason":""#, r"\u0041", r#""}"#),
        Filled(r#"{"type":"failed","reason":""#, r"\n", r#""}"#),
        Filled(r#"{"type":"hello","#, " ", r#""protocol":1}"#),
    ] {
        let body = filled.to(MAX_CONTROL_BYTES);
        let least = MAX_CONTROL_BYTES - filled.1.len() - 100;
        assert!(body.len() > least && body.len() <= MAX_CONTROL_BYTES);
        let mut frame = Vec::new();
        Frame::Control(body).write_to(&mut frame);
        let mib = cost_mib(|| {
            let mut link = Link::new();
            for chunk in frame.chunks(CHUNK_BYTES) {
                link.feed(chunk);
                if let Ok(Some(Event::Control(body))) = link.next_event() {
                    drop(parse_control::<GuestControl>(&body));
                }
            }
        });
        assert!(mib <= TALK_MIB, "{mib} MiB for {}…{}", filled.0, filled.1);
    }
}

/// A job's talk with a window of the smallest records, over and over.
#[test]
fn no_job_costs_more_than_a_talk_may() {
    let _alone = alone();
    let begun = concat!(
        "\n",
        r#"{"type":"starting","process":1}"#,
        "\n",
        r#"{"type":"started","process":1,"pid":2}"#,
        "\n",
        r#"{"type":"following","stream":2,"from":0}"#,
        "\n"
    );
    // Patterns of the scan are compiled once, whatever is said.
    fuzzing::job(b"\n");
    for (piece, times) in [
        ("=2 \u{1}x\n", 200_000),
        ("+9 1\n", 200_000),
        ("-9\n", 200_000),
        ("=2 \u{1}x\n\n", 200_000),
    ] {
        let script = [begun, &piece.repeat(times)].concat();
        let mib = cost_mib(|| fuzzing::job(script.as_bytes()));
        assert!(mib <= TALK_MIB, "{mib} MiB for {piece:?}");
    }
}

#[test]
fn no_json_artifact_costs_more_than_its_bytes_and_its_answer() {
    let _alone = alone();
    for filled in [
        Filled("[", r#"{"":0},"#, "]"),
        Filled("[", "0,", "]"),
        Filled("[", "[],", "]"),
        Filled(r#"{"":""#, "a", r#""}"#),
        Filled("[", "[", "]"),
    ] {
        let file = ArtifactFile {
            path: "r.json".into(),
            size: ARTIFACT_BYTES as u64,
            data: filled.to(ARTIFACT_BYTES).into(),
        };
        let mib = cost_mib(|| {
            let body = ArtifactBody::from(file);
            drop(serde_json::to_vec(&body).unwrap());
        });
        assert!(mib <= ANSWER_MIB, "{mib} MiB for {}…{}", filled.0, filled.1);
    }
}

#[test]
fn no_body_costs_more_than_its_size_allows_for() {
    let _alone = alone();
    // Patterns of the scan are compiled once, whatever the body.
    fuzzing::execute(br#"{"lang":"go","code":"x"}"#);
    let piston = r#"{"language":"go","version":"*","files":[{"content":"x"}],"#;
    let files = r#"{"language":"go","version":"*","files":["#;
    let more = format!(r#"{piston}"more":["#);
    let args = format!(r#"{piston}"args":["#);
    for (run, filled) in [
        (
            fuzzing::piston as fn(&[u8]),
            Filled(&more, r#"{"":0},"#, "]}"),
        ),
        (fuzzing::piston, Filled(&more, "0,", "]}")),
        (fuzzing::piston, Filled(&args, r#""","#, "]}")),
        (fuzzing::piston, Filled(files, r#"{"content":""},"#, "]}")),
        (
            fuzzing::execute,
            Filled(r#"{"lang":"go","code":"x","args":["#, r#""","#, "]}"),
        ),
        (
            fuzzing::execute,
            Filled(
                r#"{"lang":"go","code":"x","files":["#,
                r#"{"path":""},"#,
                "]}",
            ),
        ),
        (
            fuzzing::execute,
            Filled(r#"{"lang":"go","code":""#, r"\n", r#""}"#),
        ),
        (
            fuzzing::sessions,
            Filled(r#"{"language":"go","memory_mib":["#, "0,", "]}"),
        ),
    ] {
        let body = filled.to(BODY_BYTES);
        let mib = cost_mib(|| run(&body));
        assert!(mib <= BODY_MIB, "{mib} MiB for {}…{}", filled.0, filled.1);
    }
}
