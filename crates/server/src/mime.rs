//! What kind of data a file is, and how it stands in JSON: keyed by its MIME type, as clients of
//! code interpreters expect it. The name's extension decides; content is never guessed at.
//!
//! JSON is passed on as the text that it is, not as a tree made of it: its digits stay as they are
//! (18446744073709551617 fits no number type of ours), and 8 MiB of `[{"":0},…]` cost 8 MiB, where
//! the tree took hundreds. `skim` says beforehand whether a client's parser will take it.

mod skim;

use crate::written::Base64;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A file's content as it stands in an answer.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// Text.
    Text(String),
    /// Bytes.
    Base64(Base64),
    /// JSON, byte for byte.
    Json(Box<RawValue>),
}

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
    ("json", JSON, Form::Json),
    ("csv", "text/csv", Form::Text),
    ("md", "text/markdown", Form::Text),
    ("tex", "text/latex", Form::Text),
    ("js", "application/javascript", Form::Text),
    ("txt", "text/plain", Form::Text),
];

const TEXT: &str = "text/plain";
const JSON: &str = "application/json";
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
pub fn bundle(path: &str, bytes: Vec<u8>) -> (&'static str, BTreeMap<String, Data>) {
    let (named, form) = match row(path) {
        Some((_, mime, form)) => (*mime, *form),
        None => (TEXT, Form::Text),
    };
    let (mime, data) = match (form, String::from_utf8(bytes)) {
        (Form::Base64, bytes) => (named, base64(bytes)),
        (_, Err(bytes)) => (BYTES, base64(Err(bytes))),
        (Form::Text, Ok(text)) => (named, Data::Text(text)),
        (Form::Json, Ok(text)) => json(text),
    };
    (mime, BTreeMap::from([(mime.to_owned(), data)]))
}

fn base64(bytes: Result<String, std::string::FromUtf8Error>) -> Data {
    let bytes = bytes.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
    Data::Base64(bytes.into())
}

/// JSON that every client's parser takes, as it is; anything else as text.
fn json(text: String) -> (&'static str, Data) {
    if !skim::is_plain(&text) {
        return (TEXT, Data::Text(text));
    }
    match serde_json::from_str::<Box<RawValue>>(&text) {
        Ok(raw) => (JSON, Data::Json(raw)),
        Err(_) => (TEXT, Data::Text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, bytes: impl Into<Vec<u8>>) -> (&'static str, String) {
        let (mime, data) = bundle(path, bytes.into());
        (mime, serde_json::to_string(&data[mime]).unwrap())
    }

    #[test]
    fn a_file_is_what_its_name_says_if_its_bytes_allow() {
        let one = |path, bytes: &[u8], mime, json: &str| {
            assert_eq!(shown(path, bytes), (mime, json.to_owned()), "{path}");
        };
        one("a/plot.PNG", b"\x89P", "image/png", "\"iVA=\"");
        one("text.png", b"P", "image/png", "\"UA==\"");
        one("x.json", b"{\"a\":1}", "application/json", "{\"a\":1}");
        one("x.json", b"{", "text/plain", "\"{\"");
        one("x.html", "<b>ü".as_bytes(), "text/html", "\"<b>ü\"");
        one("x.csv", b"\xff", "application/octet-stream", "\"/w==\"");
        one("x.json", b"\xff", "application/octet-stream", "\"/w==\"");
        one("a.png/x", b"t", "text/plain", "\"t\"");
        one("noext", b"", "text/plain", "\"\"");
    }

    #[test]
    fn json_keeps_every_digit() {
        let text =
            r#"{"big": 18446744073709551617, "f": 9007199254740991.0, "e": 1E2, "e": -0.10}"#;
        let expected = ("application/json", text.to_owned());
        assert_eq!(shown("r.json", text), expected);
        assert_eq!(shown("r.json", format!("\n {text}\n")), expected);
    }

    /// Each of these would make the whole answer unreadable to some client's parser.
    #[test]
    fn json_that_not_every_parser_takes_is_text() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for text in ["NaN", "[1,]", "\"\\ud800\"", "1e999", "1 2", "", &deep] {
            let (mime, _) = shown("r.json", text);
            assert_eq!(mime, "text/plain", "{text:.20}");
        }
    }

    /// Row by row this was a tree of a hundred times the text's size.
    #[test]
    fn many_small_values_cost_their_text() {
        let text = format!("[{}0]", "{\"\":0},".repeat(1 << 20));
        let length = text.len();
        let (mime, data) = bundle("r.json", text.into_bytes());
        let Data::Json(raw) = &data[mime] else {
            panic!("{mime}");
        };
        assert_eq!(raw.get().len(), length);
    }
}
