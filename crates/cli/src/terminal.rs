//! What may go to a terminal. Text that a guest, a file or another process wrote must not steer it.
//!
//! A terminal acts on control characters: C0, DEL, and C1, whose U+009B begins a sequence as ESC and `[` do; a carriage
//! return writes over the line that is there; bidirectional marks show text in another order than it has. Each is shown
//! as an escape. Everything that this tool prints and did not write itself goes through here: [`Visible`] for a
//! program's output, [`visible`] for lines and sentences, [`json`] for JSON.

use crate::progress::status;
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::Write as _;

/// Whether a terminal would act on it, or show what follows in another order.
fn steers(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{061c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
        _ => c.is_control(),
    }
}

/// Text as a terminal may have it. A carriage return stays where a line ends with it.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let ends_line = c == '\r' && rest.peek() == Some(&'\n');
        match steers(c) && !ends_line {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The same of JSON, which stays the same value: such characters stand in its strings alone, where each may be written
/// by its number.
pub fn json(text: &str) -> Cow<'_, str> {
    // A newline or a tab inside a string is an escape already.
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match steers(c) {
            true => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // To a string it cannot fail.
                    let _ = write!(shown, "\\u{unit:04x}");
                }
            }
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether this stream gets colours, by the convention that help follows, too: a terminal does, unless `NO_COLOR` is set;
/// whatever else does where `CLICOLOR_FORCE` says so; `--color` goes before both.
pub fn has_colours(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// A sentence of the tool's on standard error, whoever's words are in it.
pub fn say(sentence: impl Display) {
    let sentence = sentence.to_string();
    status::aside(|| {
        // Where standard error is gone there is nobody to tell.
        let _ = writeln!(
            std::io::stderr().lock(),
            "llm-firecracker: {}",
            visible(&sentence)
        );
    });
}

/// Makes a stream visible as it comes: a character may come in two pieces, and so may the end of a line.
#[derive(Debug, Default)]
pub struct Visible {
    held: Vec<u8>,
}

impl Visible {
    /// What of the stream can be shown with this piece.
    pub fn push(&mut self, piece: &[u8]) -> String {
        self.held.extend_from_slice(piece);
        let whole = self.held.len() - unfinished(&self.held);
        let rest = self.held.split_off(whole);
        let shown = of_bytes(&self.held);
        self.held = rest;
        shown
    }

    /// What is left at the stream's end.
    pub fn finish(&mut self) -> String {
        of_bytes(&std::mem::take(&mut self.held))
    }
}

fn of_bytes(bytes: &[u8]) -> String {
    visible(&String::from_utf8_lossy(bytes)).into_owned()
}

/// How many bytes at the end the next piece may go on with: a part of a character (at most 3 of its 4 bytes), or a
/// carriage return.
fn unfinished(bytes: &[u8]) -> usize {
    if bytes.ends_with(b"\r") {
        return 1;
    }
    let is_begun = |count: &usize| {
        let end = &bytes[bytes.len() - count..];
        std::str::from_utf8(end).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
    };
    (1..=bytes.len().min(3)).find(is_begun).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_terminal_is_not_repainted() {
        for (text, shown) in [
            ("a\x1b[31mb\n\x07", "a\\u{1b}[31mb\n\\u{7}"),
            ("ü\t", "ü\t"),
            // C1's CSI and DEL.
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("real\rfake", "real\\rfake"),
            ("one\r\ntwo\r\n", "one\r\ntwo\r\n"),
            (
                "\u{202e}txt.exe\u{2066}\u{200f}",
                "\\u{202e}txt.exe\\u{2066}\\u{200f}",
            ),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn json_is_the_same_value_without_what_steers() {
        let value = serde_json::json!({ "stdout": "\u{9b}31m\u{7f}\u{202e}\r\n\"\\ü\u{1b}" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let shown = json(&text);
        assert!(!shown.contains(steers) && shown.contains("\\u009b31m\\u007f\\u202e"));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }

    #[test]
    fn bytes_that_are_no_characters_stay_none() {
        let mut stream = Visible::default();
        // The two bytes of U+009B, a lone C1 byte, and a character that never ends.
        assert_eq!(stream.push(b"\xc2"), "");
        assert_eq!(stream.push(b"\x9b\x9b"), "\\u{9b}\u{fffd}");
        assert_eq!(stream.push(b"\xf0\x9f"), "");
        assert_eq!(stream.finish(), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn nothing_that_steers_gets_through(text in any::<String>()) {
            let lines = visible(&text).replace("\r\n", "\n");
            prop_assert!(!lines.contains(steers));
            let quoted = serde_json::to_string(&text).unwrap();
            let shown = json(&quoted);
            prop_assert!(!shown.contains(steers));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }

        #[test]
        fn however_a_stream_is_cut_it_shows_the_same(
            pieces in proptest::collection::vec(
                proptest::collection::vec(proptest::sample::select(&b"a\r\n\xc2\x9b\xe2\x80\xae\xf0\x9f\x1b"[..]), 0..6), 0..8)
        ) {
            let mut stream = Visible::default();
            let mut shown: String = pieces.iter().map(|piece| stream.push(piece)).collect();
            shown.push_str(&stream.finish());
            prop_assert_eq!(shown, of_bytes(&pieces.concat()));
        }
    }
}
