//! A form of files (`multipart/form-data`, RFC 7578), cut out of a body as it comes: each part's bytes are handed on and
//! never held.
//!
//! ```text
//!  before the first boundary ──> a part's headers ──> its bytes ──> headers of the next ──> … ──> over
//! ```

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

/// Bytes of the headers of one part, at most: a path of 4096, coded, and a name.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Characters of a boundary, at most (RFC 2046, section 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// What comes out of a form.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A part begins.
    Part(PartHead),
    /// Bytes of it.
    Data(Bytes),
    /// It is whole.
    PartEnd,
    /// The form is over; what comes after is nothing.
    Over,
}

/// What a part says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The field's name.
    pub name: String,
    /// The file's.
    pub filename: Option<String>,
}

/// What is no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The body's type names no boundary that may be one.
    #[error("the form's Content-Type names no boundary")]
    NoBoundary,
    /// A part's headers are over their bound.
    #[error("the headers of a part are over {MAX_HEADER_BYTES} bytes")]
    HeadersTooLong,
    /// What stands where headers should be is none.
    #[error("a part of the form has no headers that can be read")]
    Headers,
    /// The body ended before the form did.
    #[error("the form ended before its last boundary")]
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Preamble,
    Headers,
    Data,
    Over,
}

/// A form on its way in.
#[derive(Debug)]
pub struct Form {
    /// CRLF, two hyphens and the boundary.
    delimiter: Vec<u8>,
    waiting: Vec<u8>,
    stage: Stage,
}

/// The boundary that a body's type names.
fn boundary(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (kind, parameters) = text.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = parameters
        .split(';')
        .filter_map(|one| one.trim().split_once('='));
    let (_, value) = named
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let value = value.trim().trim_matches('"');
    (1..=MAX_BOUNDARY_BYTES)
        .contains(&value.len())
        .then(|| value.to_owned())
}

impl Form {
    /// Of a request with these headers.
    pub fn of(headers: &HeaderMap) -> Result<Form, FormError> {
        let boundary = boundary(headers).ok_or(FormError::NoBoundary)?;
        Ok(Form::between(&boundary))
    }

    /// Whose parts stand between these boundaries.
    pub fn between(boundary: &str) -> Form {
        Form {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // The first boundary may stand at the very beginning.
            waiting: b"\r\n".to_vec(),
            stage: Stage::Preamble,
        }
    }

    /// Takes bytes in. What is held is a part's headers, or as much as may be the beginning of a boundary.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.stage != Stage::Over {
            self.waiting.extend_from_slice(bytes);
        }
    }

    /// No more bytes come.
    pub fn finish(&self) -> Result<(), FormError> {
        match self.stage {
            Stage::Over => Ok(()),
            _ => Err(FormError::Cut),
        }
    }

    /// What comes next; `None`: more bytes are needed.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, FormError> {
        match self.stage {
            Stage::Preamble => {
                let Some(at) = find(&self.waiting, &self.delimiter) else {
                    self.drop_but_tail();
                    return Ok(None);
                };
                self.waiting.drain(..at + self.delimiter.len());
                self.stage = Stage::Headers;
                self.next_piece()
            }
            Stage::Headers => self.head(),
            Stage::Data => Ok(self.data()),
            Stage::Over => Ok(None),
        }
    }

    /// Behind a boundary: two hyphens end the form, else headers come.
    fn head(&mut self) -> Result<Option<Piece>, FormError> {
        if self.waiting.starts_with(b"--") {
            self.waiting = Vec::new();
            self.stage = Stage::Over;
            return Ok(Some(Piece::Over));
        }
        let Some(at) = find(&self.waiting, b"\r\n\r\n") else {
            return match self.waiting.len() >= MAX_HEADER_BYTES + 4 {
                true => Err(FormError::HeadersTooLong),
                false => Ok(None),
            };
        };
        if at > MAX_HEADER_BYTES {
            return Err(FormError::HeadersTooLong);
        }
        let text = self.waiting.get(..at).unwrap_or_default();
        let head = std::str::from_utf8(text)
            .ok()
            .and_then(head)
            .ok_or(FormError::Headers)?;
        self.waiting.drain(..at + 4);
        self.stage = Stage::Data;
        Ok(Some(Piece::Part(head)))
    }

    fn data(&mut self) -> Option<Piece> {
        if let Some(at) = find(&self.waiting, &self.delimiter) {
            if at == 0 {
                self.waiting.drain(..self.delimiter.len());
                self.stage = Stage::Headers;
                return Some(Piece::PartEnd);
            }
            return Some(Piece::Data(self.waiting.drain(..at).collect()));
        }
        // A boundary may have begun in what is left.
        let safe = self.waiting.len().saturating_sub(self.delimiter.len() - 1);
        match safe {
            0 => None,
            _ => Some(Piece::Data(self.waiting.drain(..safe).collect())),
        }
    }

    fn drop_but_tail(&mut self) {
        let safe = self.waiting.len().saturating_sub(self.delimiter.len() - 1);
        self.waiting.drain(..safe);
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

/// A part's headers, without the last line's end.
fn head(text: &str) -> Option<PartHead> {
    let lines = text.split("\r\n").filter(|line| !line.is_empty());
    let mut found = None;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        if name.trim().eq_ignore_ascii_case("content-disposition") {
            found = disposition(value);
        }
    }
    found
}

/// `form-data; name="file"; filename="a.txt"`: quoted values as WHATWG writes them, with `%22`, `%0D` and `%0A`.
fn disposition(value: &str) -> Option<PartHead> {
    let mut rest = value.trim().strip_prefix("form-data")?;
    let mut head = PartHead::default();
    while let Some((_, more)) = rest.split_once(';') {
        let (name, more) = more.split_once('=')?;
        let (value, more) = match more.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let end = more.find(';').unwrap_or(more.len());
                let (value, more) = more.split_at(end);
                (value.trim().to_owned(), more)
            }
        };
        match name.trim() {
            "name" => head.name = value,
            "filename" => head.filename = Some(value),
            "filename*" => {
                let coded = value.split('\'').nth(2)?;
                head.filename = Some(percent_decoded(coded)?);
            }
            _ => {}
        }
        rest = more;
    }
    Some(head)
}

/// Up to the closing quote, and what follows it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let value = value
                    .replace("%22", "\"")
                    .replace("%0D", "\r")
                    .replace("%0A", "\n");
                return Some((value, text.get(at + 1..)?));
            }
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

/// RFC 5987's coding of a value in UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        match first {
            b'%' => {
                let digits = rest.get(..2)?;
                let digits = std::str::from_utf8(digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = rest.get(2..)?;
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
