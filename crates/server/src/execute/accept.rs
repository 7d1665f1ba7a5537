//! Which of an answer's forms a client wants: `Accept` as RFC 9110, section 12.5.1, has it.

use crate::sandboxes::told::Form;
use axum::http::{HeaderMap, header};

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// The form in which the client wants what is told bit by bit; `None`: it wants one body. It names the form's type, and
/// not with a lower weight than it has for JSON; events unless lines weigh more.
pub fn streamed(headers: &HeaderMap) -> Option<Form> {
    form_of(&accept(headers))
}

/// The client wants lines of JSON instead of events, where there is no one body: it names their type, and with more
/// weight than it has for events.
pub fn wants_lines(headers: &HeaderMap) -> bool {
    prefers_lines(&accept(headers))
}

fn accept(headers: &HeaderMap) -> String {
    let values = headers.get_all(header::ACCEPT).iter();
    let accept: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    accept.join(",")
}

fn prefers_lines(accept: &str) -> bool {
    let own = |name| weight(accept, name).unwrap_or(0.0);
    own(LINES) > own(EVENTS)
}

fn form_of(accept: &str) -> Option<Form> {
    // The most exact range that a type falls under counts.
    let json = weight(accept, JSON)
        .or_else(|| weight(accept, "application/*"))
        .or_else(|| weight(accept, "*/*"))
        .unwrap_or(0.0);
    let (name, form) = match prefers_lines(accept) {
        true => (LINES, Form::Lines),
        false => (EVENTS, Form::Events),
    };
    let own = weight(accept, name).unwrap_or(0.0);
    (own > 0.0 && own >= json).then_some(form)
}

/// The weight that a type, or range of types, is named with.
fn weight(accept: &str, name: &str) -> Option<f32> {
    let mut ranges = accept.split(',').map(range);
    let named = ranges.find(|(own, _)| own.eq_ignore_ascii_case(name));
    named.map(|(_, weight)| weight)
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
    fn the_forms_of_an_answer_decide_by_their_weights() {
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
            let form = events.then_some(Form::Events);
            assert_eq!(form_of(accept), form, "{accept}");
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
            let form = lines.then_some(Form::Lines);
            assert_eq!(
                form_of(accept).filter(|form| *form == Form::Lines),
                form,
                "{accept}"
            );
        }
        for json in [
            "application/json, application/x-ndjson;q=0.5",
            "*/*, application/x-ndjson;q=0.9",
        ] {
            assert_eq!(form_of(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_weight_of_none_is_never_chosen(more in "\\PC{0,40}") {
            let none = format!("text/event-stream;q=0, {more}");
            prop_assert_ne!(form_of(&none), Some(Form::Events));
            let _ = form_of(&more);
        }
    }
}
