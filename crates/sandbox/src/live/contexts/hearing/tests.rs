use super::*;
use proptest::prelude::*;
use serde_json::json;

const OUT: OutputKind = OutputKind::Stdout;
const CONTROL: OutputKind = OutputKind::Control;

/// What is heard of these pieces, after cell 1 (key `a`) was over and cell 2 (key `b`) was given.
fn heard(pieces: &[(OutputKind, String)]) -> Result<Vec<Heard>, Nonsense> {
    let (mut hearing, mut told) = (Hearing::default(), Vec::new());
    hearing.order("a".into(), 1);
    for line in [begun("a", Some(0)), end("a")] {
        hearing.take(CONTROL, line.as_bytes(), &mut |_| ()).unwrap();
    }
    hearing.order("b".into(), 2);
    for (kind, data) in pieces {
        hearing.take(*kind, data.as_bytes(), &mut |heard| told.push(heard))?;
    }
    Ok(told)
}

fn line(value: serde_json::Value) -> String {
    format!("{value}\n")
}

fn begun(cell: &str, lane: Option<u8>) -> String {
    line(json!({ "type": "begun", "cell": cell, "lane": lane }))
}

fn end(cell: &str) -> String {
    line(json!({ "type": "end", "cell": cell, "exit_code": 0 }))
}

fn late(cell: Option<&str>) -> String {
    line(json!({ "type": "output", "cell": cell, "stream": "stderr", "base64": "eA==" }))
}

fn printed(origin: Origin, stream: CellStream) -> Heard {
    Heard::Printed(origin, stream, b"x".into())
}

#[test]
fn output_is_of_the_cell_that_printed_it() {
    use CellStream::{Stderr, Stdout};
    use Origin::{Context, Late, Running};
    let x = || "x".to_owned();
    let control = |text| (CONTROL, text);
    let (own, other) = (begun("b", Some(0)), begun("b", Some(1)));
    let nobodys = || begun("b", None);
    let lane = OutputKind::LaneStderr(1);
    for (pieces, origin, stream) in [
        // Printed and said between two looks: the pipe of what it says is read last.
        (vec![(OUT, x()), control(own.clone())], Running(2), Stdout),
        (
            vec![(lane, x()), control(other.clone())],
            Running(2),
            Stderr,
        ),
        // Of what the first cell left behind.
        (vec![(OUT, x()), control(other.clone())], Late(1), Stdout),
        (vec![(OUT, x()), control(nobodys())], Context, Stdout),
        (vec![control(own.clone()), (OUT, x())], Running(2), Stdout),
        // What a cell left behind holds the first lane.
        (vec![control(other.clone()), (OUT, x())], Late(1), Stdout),
        (vec![control(other), (lane, x())], Running(2), Stderr),
        // All lanes are held.
        (vec![control(nobodys()), (OUT, x())], Context, Stdout),
        (vec![control(nobodys()), (lane, x())], Context, Stderr),
        (
            vec![control(own.clone() + &end("b")), (OUT, x())],
            Context,
            Stdout,
        ),
        (
            vec![control(own.clone() + &late(Some("a")))],
            Late(1),
            Stderr,
        ),
        (vec![control(own + &late(Some("b")))], Running(2), Stderr),
        (vec![control(late(Some("b")))], Context, Stderr),
        (vec![control(late(Some("no such")))], Context, Stderr),
        (vec![control(late(None))], Context, Stderr),
    ] {
        let told = heard(&pieces).unwrap();
        let expected = printed(origin, stream);
        assert_eq!(told.last(), Some(&expected), "{pieces:?}");
    }
}

#[test]
fn what_is_held_back_is_told_where_no_cell_begins() {
    let mut hearing = Hearing::default();
    hearing.order("a".into(), 1);
    let mut told = Vec::new();
    hearing
        .take(OUT, b"x", &mut |heard| told.push(heard))
        .unwrap();
    assert_eq!(told, []);
    hearing.let_go(&mut |heard| told.push(heard));
    assert_eq!(told, [printed(Origin::Context, CellStream::Stdout)]);
    // No more pieces of it than a bound, and no more bytes.
    for _ in 0..=MAX_HELD_PIECES {
        hearing
            .take(OUT, b"x", &mut |heard| told.push(heard))
            .unwrap();
    }
    assert_eq!(told.len(), 2);
    hearing.let_go(&mut |_| ());
    told.pop();
    let big = vec![b'x'; MAX_HELD_BYTES];
    for (data, expected) in [(&big, 1), (&big, 2)] {
        hearing
            .take(OUT, data, &mut |heard| told.push(heard))
            .unwrap();
        assert_eq!(told.len(), expected);
    }
}

#[test]
fn what_is_shown_keeps_its_place() {
    let bundle = Bundle::from([("text/plain".to_owned(), "1".to_owned())]);
    let shown = |kind: &str| line(json!({ "type": kind, "cell": "b", "data": bundle.clone() }));
    let told = heard(&[
        (CONTROL, begun("b", Some(0))),
        (OUT, "x".into()),
        (CONTROL, shown("display")),
        (OUT, "x".into()),
        (CONTROL, shown("result") + &end("b")),
    ]);
    let own = Origin::Running(2);
    assert_eq!(
        told.unwrap(),
        [
            Heard::Begun,
            printed(own, CellStream::Stdout),
            Heard::Shown(own, Shown::Display, bundle.clone()),
            printed(own, CellStream::Stdout),
            Heard::Shown(own, Shown::Result, bundle),
            Heard::Ended(0),
        ]
    );
}

#[test]
fn nonsense_has_a_name() {
    use Nonsense::{NoAnswer, OutOfPlace, TooLong};
    let many: Bundle = (0..33)
        .map(|kind| (kind.to_string(), String::new()))
        .collect();
    let own = || begun("b", Some(0));
    for (text, nonsense) in [
        ("\n".to_owned(), NoAnswer),
        ("{}\n".to_owned(), NoAnswer),
        (line(json!({ "type": "boo" })), NoAnswer),
        (
            line(json!({ "type": "end", "cell": "b", "exit_code": 256 })),
            NoAnswer,
        ),
        (
            line(json!({ "type": "output", "cell": null, "stream": "stdout", "base64": "%" })),
            NoAnswer,
        ),
        (
            line(json!({ "type": "display", "cell": "b", "data": many })),
            NoAnswer,
        ),
        (
            "x".repeat(crate::live::contexts::answer::MAX_LINE_BYTES + 1),
            TooLong,
        ),
        (end("b"), OutOfPlace),
        (end("a"), OutOfPlace),
        (begun("a", Some(0)), OutOfPlace),
        (begun("b", Some(4)), OutOfPlace),
        (own() + &own(), OutOfPlace),
        (own() + &end("b") + &end("b"), OutOfPlace),
        (own() + &end("a"), OutOfPlace),
    ] {
        let told = heard(&[(CONTROL, text.clone())]);
        assert_eq!(told, Err(nonsense), "{text:.80}");
    }
}

proptest! {
    #[test]
    fn any_chunking_tells_the_same(sizes in proptest::collection::vec(1usize..40, 1..40)) {
        let all = begun("b", Some(0)) + &late(Some("a")) + &end("b");
        let (mut pieces, mut rest, mut sizes) = (Vec::new(), all.as_str(), sizes.iter().cycle());
        while !rest.is_empty() {
            let size = (*sizes.next().unwrap()).min(rest.len());
            pieces.push((CONTROL, rest[..size].to_owned()));
            rest = &rest[size..];
        }
        prop_assert_eq!(heard(&pieces), heard(&[(CONTROL, all)]));
    }

    #[test]
    fn any_bytes_end_no_cell_but_by_its_key(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let (mut hearing, mut ended) = (Hearing::default(), false);
        hearing.order("an unpredictable key".into(), 1);
        let mut tell = |heard| ended |= matches!(heard, Heard::Ended(_) | Heard::Begun);
        let _ = hearing.take(CONTROL, &bytes, &mut tell);
        prop_assert!(!ended);
    }
}
