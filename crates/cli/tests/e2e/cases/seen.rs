//! What a row of the table looks at in a result.

use serde_json::Value;

/// What systems and languages call a network that is not there.
pub const SYSTEM_ERRORS: &[&str] = &[
    "unreachable",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ECONNREFUSED",
    "refused",
    "EAI_AGAIN",
    "Temporary failure in name resolution",
    "Name or service not known",
    "ENOTFOUND",
    "not permitted",
    "EPERM",
    "EACCES",
    "Permission denied",
    "EAFNOSUPPORT",
    "not supported",
];

/// A field that is text; empty where it is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A field that is a number; equal to nothing where it is none.
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// A result as a failure shows it.
pub fn brief(result: &Value) -> String {
    let text: String = result.to_string();
    match text.len() {
        ..3000 => text,
        _ => text
            .chars()
            .take(500)
            .chain(" … ".chars())
            .chain(text.chars().skip(text.chars().count() - 1000))
            .collect(),
    }
}

/// Fails unless all of these words are in it.
pub fn assert_says(value: &Value, words: &[&str]) {
    for word in words {
        assert!(text(value).contains(word), "{word:?} is not in {value}");
    }
}

/// Fails unless this limit ended the job, with this value where one is given.
pub fn assert_limit(result: &Value, name: &str, value: Option<u64>) {
    assert_eq!(result["limit"]["name"], name, "{}", result["limit"]);
    if let Some(value) = value {
        assert_eq!(result["limit"]["value"], value);
    }
    assert!(text(&result["limit"]["unit"]).len() > 1);
}

/// Fails unless the program ended by this exit code, or by this signal where it is below 0.
pub fn assert_ended(result: &Value, code: i64) {
    let (exit_code, signal) = match code {
        0.. => (Some(code), None),
        _ => (None, Some(-code)),
    };
    let seen = (&result["exit_code"], &result["signal"]);
    assert_eq!(seen, (&exit_code.into(), &signal.into()));
}
