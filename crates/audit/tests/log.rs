//! The log on a real disk: written, cut, changed, reordered, crashed, turned over.
#![allow(clippy::unwrap_used)]

use audit::{AuditConfig, AuditError, AuditLog, Filter, Follower, Report, read, verify};
use protocol::event::{Event, EventType};
use protocol::trace_id::TraceId;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

fn event(n: u64) -> Event {
    Event {
        timestamp: format!("2026-01-02T03:04:{:02}Z", n % 60),
        event_type: if n.is_multiple_of(2) {
            EventType::VmStart
        } else {
            EventType::VmStop
        },
        trace_id: TraceId::parse(&format!("job-{}", n / 2)).ok(),
        details: format!("event {n} with \"quotes\" and \n"),
        extra: serde_json::Map::new(),
    }
}

fn write(dir: &Path, count: u64, config: AuditConfig) {
    let log = AuditLog::open(dir, config).unwrap();
    for n in 0..count {
        log.append(&event(n)).unwrap();
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    paths.sort();
    paths
}

fn small_segments() -> AuditConfig {
    AuditConfig {
        segment_bytes: 1000,
        ..AuditConfig::default()
    }
}

/// Writes ten records, has `change` do something to their lines, and verifies.
fn after(change: impl FnOnce(&mut Vec<String>)) -> Report {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 10, AuditConfig::default());
    let path = segments(dir.path()).remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    verify::verify(dir.path()).unwrap()
}

fn kinds(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn an_untouched_log_is_whole_over_many_segments_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        write(dir.path(), 20, small_segments());
    }
    assert!(segments(dir.path()).len() > 3);
    let report = verify::verify(dir.path()).unwrap();
    assert_eq!((report.records, report.last_seq), (60, 60));
    assert!(report.is_whole(), "{:?}", report.findings);
}

#[test]
fn a_changed_record_is_named() {
    let report = after(|lines| lines[4] = lines[4].replace("event 4", "event 9"));
    assert_eq!(kinds(&report), ["changed"]);
    assert!(report.findings[0].text.starts_with("record 5 "));
    assert_eq!(report.findings[0].line, 5);
}

#[test]
fn a_record_rewritten_with_a_right_hash_is_named() {
    let report = after(|lines| {
        let prev = audit::record::decode(&lines[4]).unwrap().prev;
        lines[4] = audit::record::encode(5, &prev, &event(77)).0;
    });
    assert_eq!(kinds(&report), ["replaced"]);
    assert!(report.findings[0].text.starts_with("record 5 "));
}

#[test]
fn the_newest_record_rewritten_is_named_too() {
    let report = after(|lines| {
        let prev = audit::record::decode(&lines[9]).unwrap().prev;
        lines[9] = audit::record::encode(10, &prev, &event(77)).0;
    });
    assert_eq!(kinds(&report), ["replaced"]);
    assert!(report.findings[0].text.starts_with("record 10"));
}

/// The one file of a short log.
const NEWEST: &str = "audit-00000000000000000001.jsonl";

#[test]
fn a_removed_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = AuditConfig {
        segment_bytes: 1,
        ..AuditConfig::default()
    };
    let log = AuditLog::open(dir.path(), config).unwrap();
    for n in 1..=4 {
        log.append(&event(n)).unwrap();
    }
    drop(log);
    std::fs::remove_file(dir.path().join("audit-00000000000000000002.jsonl")).unwrap();
    let report = verify::verify(dir.path()).unwrap();
    assert_eq!(kinds(&report), ["missing"]);
    let finding = &report.findings[0];
    assert_eq!(
        (finding.file.as_str(), finding.line),
        ("audit-00000000000000000002.jsonl", 0)
    );
    assert!(finding.text.contains("is not there"), "{}", finding.text);
}

#[test]
fn a_removed_record_is_named() {
    let report = after(|lines| _ = lines.remove(4));
    assert_eq!(kinds(&report), ["missing"]);
    let finding = &report.findings[0];
    assert_eq!(finding.text, "record 5 is missing");
    assert_eq!((finding.file.as_str(), finding.line), (NEWEST, 5));
}

#[test]
fn a_cut_end_is_named() {
    let report = after(|lines| lines.truncate(7));
    assert_eq!(kinds(&report), ["cut"]);
    assert_eq!(
        report.findings[0].text,
        "records 8 to 10 were cut off the end"
    );
    assert_eq!(
        (report.findings[0].file.as_str(), report.findings[0].line),
        (NEWEST, 7)
    );
}

#[test]
fn a_removed_beginning_is_named() {
    let report = after(|lines| _ = lines.drain(..2));
    assert_eq!(kinds(&report), ["missing"]);
    assert_eq!(report.findings[0].text, "records 1 to 2 are missing");
}

#[test]
fn reordered_records_are_named() {
    let report = after(|lines| lines.swap(3, 4));
    assert!(
        kinds(&report).contains(&"reordered"),
        "{:?}",
        report.findings
    );
    assert!(!report.is_whole());
}

#[test]
fn junk_is_named_and_does_not_stop_the_walk() {
    let report = after(|lines| lines[2] = "x".repeat(3_000_000));
    assert_eq!(kinds(&report)[0], "unreadable");
    assert_eq!(report.records, 9);
}

#[test]
fn a_log_that_was_tampered_with_is_not_appended_to() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 10, AuditConfig::default());
    let path = segments(dir.path()).remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    let cut: String = text
        .lines()
        .take(5)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&path, cut).unwrap();
    let error = AuditLog::open(dir.path(), AuditConfig::default()).unwrap_err();
    assert!(matches!(error, AuditError::Broken { .. }));
}

#[test]
fn a_second_writer_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = AuditLog::open(dir.path(), AuditConfig::default()).unwrap();
    let second = AuditLog::open(dir.path(), AuditConfig::default());
    assert!(matches!(second, Err(AuditError::Busy { .. })));
}

#[test]
fn a_crash_between_record_and_head_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 9, AuditConfig::default());
    let old_head = std::fs::read(dir.path().join("head")).unwrap();
    write(dir.path(), 1, AuditConfig::default());
    std::fs::write(dir.path().join("head"), old_head).unwrap();
    write(dir.path(), 1, AuditConfig::default());
    let report = verify::verify(dir.path()).unwrap();
    assert_eq!(report.records, 11);
    assert!(report.is_whole(), "{:?}", report.findings);
}

#[test]
fn a_torn_last_line_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 3, AuditConfig::default());
    let path = segments(dir.path()).remove(0);
    let mut text = std::fs::read(&path).unwrap();
    text.extend_from_slice(b"{\"seq\":4,\"pre");
    std::fs::write(&path, text).unwrap();
    write(dir.path(), 1, AuditConfig::default());
    let report = verify::verify(dir.path()).unwrap();
    assert_eq!(report.records, 4);
    assert!(report.is_whole(), "{:?}", report.findings);
}

#[test]
fn retention_removes_the_oldest_and_the_rest_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    let config = AuditConfig {
        total_bytes: 5000,
        ..small_segments()
    };
    write(dir.path(), 100, config);
    let bytes: u64 = segments(dir.path())
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!(bytes < 7000, "{bytes}");
    let report = verify::verify(dir.path()).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.last_seq, 100);
    // What retention did is in the head; the same done by hand is found.
    std::fs::remove_file(segments(dir.path()).remove(0)).unwrap();
    assert!(!verify::verify(dir.path()).unwrap().is_whole());
}

#[test]
fn a_segment_turns_over_by_age_and_goes_when_it_is_too_old() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let dir = tempfile::tempdir().unwrap();
    // Older than no time at all: each record has a segment of its own.
    let config = AuditConfig {
        segment_seconds: 0,
        retention_days: 90,
        ..AuditConfig::default()
    };
    write(dir.path(), 3, config.clone());
    assert_eq!(segments(dir.path()).len(), 4, "three closed and a new one");
    // Closed 91 and 89 days ago.
    for (n, days) in [(0, 91), (1, 89)] {
        let segment = File::options().write(true).open(&segments(dir.path())[n]);
        let closed = SystemTime::now() - DAY * days;
        segment.unwrap().set_modified(closed).unwrap();
    }
    write(dir.path(), 1, config);
    let left = segments(dir.path());
    let first = left[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(first.ends_with("00002.jsonl"), "{left:?}");
    let report = verify::verify(dir.path()).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.records, report.last_seq), (3, 4));
}

#[test]
fn tail_query_and_follow_find_what_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let log = AuditLog::open(dir.path(), small_segments()).unwrap();
    let mut follower = Follower::new(dir.path(), 0);
    assert!(follower.read().unwrap().is_empty());
    for n in 0..30 {
        log.append(&event(n)).unwrap();
        assert_eq!(follower.read().unwrap().len(), 1, "{n}");
    }
    let newest = read::tail(dir.path(), &Filter::default(), 3).unwrap();
    assert_eq!(
        newest.iter().map(|r| r.seq).collect::<Vec<_>>(),
        [28, 29, 30]
    );
    let of_job = Filter {
        trace_id: Some("job-4".into()),
        event_type: Some(EventType::VmStop),
        ..Filter::default()
    };
    let mut found = Vec::new();
    read::query(dir.path(), &of_job, |record| {
        found.push(record.seq);
        true
    })
    .unwrap();
    assert_eq!(found, [10]);
    let between = Filter {
        since: "2026-01-02T03:04:10Z".parse().ok(),
        until: "2026-01-02T03:04:12Z".parse().ok(),
        ..Filter::default()
    };
    assert_eq!(read::tail(dir.path(), &between, 99).unwrap().len(), 2);
}
