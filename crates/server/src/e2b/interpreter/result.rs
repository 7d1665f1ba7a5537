//! A value that was shown, under the keys of E2B's results. Pure. A bundle comes from the guest: what is to be JSON and is
//! none, or is nested so deep that a client's parser would give up, is left out.

use sandbox::live::contexts::Bundle;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Nesting of a value; Python's parser, the first to give up, takes about ten times as much.
const MAX_DEPTH: usize = 96;

/// JSON as the guest wrote it.
pub type Json = Box<RawValue>;

/// A result, as E2B's clients read it.
#[derive(Debug, Default, Serialize)]
pub struct ResultBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    svg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    png: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jpeg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pdf: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    javascript: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<Json>,
    /// Of kinds that E2B has no key for.
    extra: BTreeMap<String, Extra>,
    /// It is the value of the cell's last expression.
    is_main_result: bool,
}

/// What has no key of its own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Extra {
    Json(Json),
    Text(String),
}

/// Whether a value was shown, or is that of the last expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Shown by the program.
    Display,
    /// The cell's value.
    Main,
}

impl ResultBody {
    /// Of all that a value looks like.
    pub fn of(bundle: &Bundle, role: Role) -> ResultBody {
        let mut rest = bundle.clone();
        let mut take = |kind: &str| rest.remove(kind);
        ResultBody {
            text: take("text/plain").map(unquoted),
            html: take("text/html"),
            markdown: take("text/markdown"),
            svg: take("image/svg+xml"),
            png: take("image/png"),
            jpeg: take("image/jpeg"),
            pdf: take("application/pdf"),
            latex: take("text/latex"),
            json: take("application/json").and_then(json),
            javascript: take("application/javascript"),
            data: take("e2b/data").and_then(json),
            chart: take("e2b/chart").and_then(json),
            is_main_result: role == Role::Main,
            extra: rest.into_iter().filter_map(extra).collect(),
        }
    }
}

fn extra((kind, text): (String, String)) -> Option<(String, Extra)> {
    let value = match kind.ends_with("+json") {
        true => Extra::Json(json(text)?),
        false => Extra::Text(text),
    };
    Some((kind, value))
}

/// A text without the quotes that a language shows its strings in.
fn unquoted(text: String) -> String {
    for quote in ['\'', '"'] {
        let inner = text.strip_prefix(quote);
        if let Some(inner) = inner.and_then(|rest| rest.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text
}

fn json(text: String) -> Option<Json> {
    is_shallow(&text).then_some(())?;
    RawValue::from_string(text).ok()
}

/// Whether a JSON text is nested no deeper than [`MAX_DEPTH`].
fn is_shallow(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(bundle: Value, role: Role) -> Value {
        let bundle: Bundle = serde_json::from_value(bundle).unwrap();
        serde_json::to_value(ResultBody::of(&bundle, role)).unwrap()
    }

    #[test]
    fn a_value_has_e2bs_keys() {
        for (bundle, body) in [
            (json!({}), json!({"extra": {}, "is_main_result": true})),
            (
                json!({"text/plain": "'it''s'", "text/html": "<b>", "text/markdown": "#", "image/svg+xml": "<svg>"}),
                json!({"text": "it''s", "html": "<b>", "markdown": "#", "svg": "<svg>", "extra": {}, "is_main_result": true}),
            ),
            (
                json!({"text/plain": "'x\"", "image/png": "p", "image/jpeg": "j", "application/pdf": "d", "text/latex": "l"}),
                json!({"text": "'x\"", "png": "p", "jpeg": "j", "pdf": "d", "latex": "l", "extra": {}, "is_main_result": true}),
            ),
            (
                json!({"text/plain": "'", "application/javascript": "f()", "application/json": "[1, {\"a\": null}]"}),
                json!({"text": "'", "javascript": "f()", "json": [1, {"a": null}], "extra": {}, "is_main_result": true}),
            ),
            (
                json!({"e2b/data": "{\"a\": [1]}", "e2b/chart": "{\"type\": \"line\"}"}),
                json!({"data": {"a": [1]}, "chart": {"type": "line"}, "extra": {}, "is_main_result": true}),
            ),
            (
                json!({"application/vnd.plotly.v1+json": "{\"data\": []}", "text/x-own": "o"}),
                json!({"extra": {"application/vnd.plotly.v1+json": {"data": []}, "text/x-own": "o"}, "is_main_result": true}),
            ),
        ] {
            assert_eq!(told(bundle, Role::Main), body);
        }
        assert_eq!(told(json!({}), Role::Display)["is_main_result"], false);
    }

    #[test]
    fn what_is_no_json_is_left_out() {
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        for text in [
            "NaN",
            "",
            "{",
            "{} {}",
            "<application/json of 9 bytes left out>",
            &deep,
        ] {
            let body = told(
                json!({"e2b/data": text, "application/json": text, "a/b+json": text}),
                Role::Main,
            );
            assert_eq!(body, json!({"extra": {}, "is_main_result": true}), "{text}");
        }
        let strings = format!("\"\\\"{}\"", "[".repeat(MAX_DEPTH + 1));
        assert!(json(strings).is_some());
    }
}
