//! What kind of data a file is, and how it stands in JSON: keyed by its MIME type, as clients of
//! code interpreters expect it. The name's extension decides; content is never guessed at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;

/// How a type's data stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Base64,
    Text,
    Json,
}

/// Extension, MIME type, form in JSON.
const TYPES: &[(&str, &str, Form)] = &[
    ("png", "image/png", Form::Base64),
    ("jpg", "image/jpeg", Form::Base64),
    ("jpeg", "image/jpeg", Form::Base64),
    ("gif", "image/gif", Form::Base64),
    ("webp", "image/webp", Form::Base64),
    ("pdf", "application/pdf", Form::Base64),
    ("svg", "image/svg+xml", Form::Text),
    ("html", "text/html", Form::Text),
    ("htm", "text/html", Form::Text),
    ("json", "application/json", Form::Json),
    ("csv", "text/csv", Form::Text),
    ("md", "text/markdown", Form::Text),
    ("tex", "text/latex", Form::Text),
    ("js", "application/javascript", Form::Text),
    ("txt", "text/plain", Form::Text),
];

const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";

/// The MIME type of a file's name, when its extension is known.
pub fn of_name(path: &str) -> Option<&'static str> {
    row(path).map(|(_, mime, _)| *mime)
}

fn row(path: &str) -> Option<&'static (&'static str, &'static str, Form)> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    TYPES
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(extension))
}

/// The type and the data of a file. What is not what its name says is text or bytes.
pub fn bundle(path: &str, bytes: &[u8]) -> (&'static str, BTreeMap<String, Value>) {
    let named = row(path).and_then(|(_, mime, form)| value(*form, bytes).map(|data| (*mime, data)));
    let (mime, data) = named
        .or_else(|| value(Form::Text, bytes).map(|data| (TEXT, data)))
        .unwrap_or_else(|| (BYTES, Value::from(STANDARD.encode(bytes))));
    (mime, BTreeMap::from([(mime.to_owned(), data)]))
}

fn value(form: Form, bytes: &[u8]) -> Option<Value> {
    match form {
        Form::Base64 => Some(STANDARD.encode(bytes).into()),
        Form::Text => std::str::from_utf8(bytes).ok().map(Value::from),
        Form::Json => serde_json::from_slice(bytes).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says_if_its_bytes_allow() {
        let one = |path: &str, bytes: &[u8]| {
            let (mime, data) = bundle(path, bytes);
            (mime, data[mime].clone())
        };
        assert_eq!(one("a/plot.PNG", b"\x89P"), ("image/png", "iVA=".into()));
        assert_eq!(
            one("x.json", b"{\"a\":1}"),
            ("application/json", serde_json::json!({"a": 1}))
        );
        assert_eq!(one("x.json", b"{"), ("text/plain", "{".into()));
        assert_eq!(
            one("x.html", "<b>ü".as_bytes()),
            ("text/html", "<b>ü".into())
        );
        assert_eq!(
            one("x.csv", b"\xff"),
            ("application/octet-stream", "/w==".into())
        );
        assert_eq!(one("a.png/x", b"t"), ("text/plain", "t".into()));
        assert_eq!(one("noext", b""), ("text/plain", "".into()));
    }
}
