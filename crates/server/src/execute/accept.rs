//! Which of an answer's forms a client wants: `Accept` as RFC 9110, section 12.5.1, has it.

use axum::http::{HeaderMap, header};

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// The client wants events instead of one body: it names their type, and not with a lower weight than
/// it has for JSON.
pub fn wants_events(headers: &HeaderMap) -> bool {
    prefers_events(&accept(headers))
}

/// The client wants lines of JSON instead of events: it names their type, and with more weight than it has for
/// events.
pub fn wants_lines(headers: &HeaderMap) -> bool {
    prefers_lines(&accept(headers))
}

fn accept(headers: &HeaderMap) -> String {
    let values = headers.get_all(header::ACCEPT).iter();
    let accept: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    accept.join(",")
}

fn prefers_lines(accept: &str) -> bool {
    let weight = |name: &str| {
        let mut ranges = accept.split(',').map(range);
        let own = ranges.find(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map_or(0.0, |(_, weight)| weight)
    };
    weight(LINES) > weight(EVENTS)
}

fn prefers_events(accept: &str) -> bool {
    let ranges: Vec<(&str, f32)> = accept.split(',').map(range).collect();
    let weight = |name: &str| {
        let named = |(own, _): &&(&str, f32)| own.eq_ignore_ascii_case(name);
        ranges.iter().find(named).map(|(_, weight)| *weight)
    };
    // The most exact range that a type falls under counts.
    let json = weight(JSON)
        .or_else(|| weight("application/*"))
        .or_else(|| weight("*/*"));
    let events = weight(EVENTS).unwrap_or(0.0);
    events > 0.0 && events >= json.unwrap_or(0.0)
}

/// One range and its weight: 1 unless it says otherwise; what is no weight is none.
fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or("");
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let weight = weight.map_or(1.0, |text| text.parse().unwrap_or(0.0));
    let is_one = (0.0..=1.0).contains(&weight);
    (name, if is_one { weight } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_weights_decide() {
        for (accept, events) in [
            ("", false),
            ("*/*", false),
            ("application/json", false),
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("text/event-stream, */*", true),
            ("application/json, text/event-stream", true),
            ("text/event-stream;q=0", false),
            ("text/event-stream;q=0, */*", false),
            ("text/event-stream; Q=0.5, application/json", false),
            ("text/event-stream;q=0.5, application/json;q=0.4", true),
            ("text/event-stream;q=0.9, application/*;q=0.8, */*", true),
            ("text/event-stream;q=nan", false),
            ("text/event-stream;q=2", false),
            ("text/event-streams, x/text/event-stream", false),
        ] {
            assert_eq!(prefers_events(accept), events, "{accept}");
        }
    }

    #[test]
    fn lines_are_for_who_asks_for_them() {
        for (accept, lines) in [
            ("", false),
            ("*/*", false),
            ("application/*", false),
            ("application/json", false),
            ("application/x-ndjson", true),
            ("Application/X-NDJSON; charset=utf-8, */*", true),
            ("application/x-ndjson, text/event-stream", false),
            ("application/x-ndjson, text/event-stream;q=0.9", true),
            ("application/x-ndjson;q=0", false),
        ] {
            assert_eq!(prefers_lines(accept), lines, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn a_weight_of_none_is_never_chosen(more in "\\PC{0,40}") {
            let none = format!("text/event-stream;q=0, {more}");
            prop_assert!(!prefers_events(&none));
            let _ = prefers_events(&more);
        }
    }
}
