//! Paths that every server reads alike, and globs of them.
//!
//! A rule that lists paths judges what is asked for as its server will read it, and servers differ: in what `%2e%2e`,
//! `//`, `\` or `%2f` means, and in whether they decode twice. What can be read in two ways is refused, not put right.
//! What is left is compared without its percent-encoding (`/%761/x` is `/v1/x`) and without the query.
//!
//! A glob is a path in which `*` stands for any characters within a segment (`/v*/models`); as its whole last segment
//! it stands for everything below, also nothing (`/v1/*` has `/v1/`, `/v1/a` and `/v1/a/b`, and not `/v1`). `/*` has
//! every path. Upper and lower case differ.

use std::fmt;

/// Bytes of a glob.
pub const MAX_GLOB_BYTES: usize = 512;
/// Stars within one: each is tried at every place of a segment.
const MAX_STARS: usize = 8;

/// A path without its encoding, of which there is one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    /// Segments after the leading slash; the last is empty where the path ends in a slash.
    segments: Vec<Vec<u8>>,
}

/// Why a path has two readings, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with a slash.
    #[error("does not begin with a slash")]
    Relative,
    /// A byte that must be encoded, or `#`.
    #[error("has a byte that no path has")]
    Byte,
    /// `%` without two hexadecimal digits.
    #[error("has a % without two digits")]
    Percent,
    /// An encoded slash, backslash or control character, or what would be one if decoded twice.
    #[error("has an encoded character that servers differ about")]
    Encoded,
    /// `\`.
    #[error("has a backslash")]
    Backslash,
    /// `//`.
    #[error("has an empty segment")]
    Empty,
    /// `.` or `..`, in whatever spelling.
    #[error("has a dot segment")]
    Dots,
}

impl CanonicalPath {
    /// Reads the path of a request's target; what is after `?` is no part of it.
    pub fn parse(target: &str) -> Result<CanonicalPath, PathError> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let inner = path.strip_prefix('/').ok_or(PathError::Relative)?;
        let written: Vec<&str> = inner.split('/').collect();
        let last = written.len() - 1;
        let mut segments = Vec::with_capacity(written.len());
        for (place, segment) in written.iter().enumerate() {
            if segment.is_empty() && place != last {
                return Err(PathError::Empty);
            }
            segments.push(decoded(segment)?);
        }
        Ok(CanonicalPath { segments })
    }
}

/// One segment without its encoding.
fn decoded(segment: &str) -> Result<Vec<u8>, PathError> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'%' => {
                let [high, low, after @ ..] = after else {
                    return Err(PathError::Percent);
                };
                bytes.push(hex(*high)? << 4 | hex(*low)?);
                after
            }
            b'\\' => return Err(PathError::Backslash),
            b'#' | 0..=0x20 | 0x7f.. => return Err(PathError::Byte),
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    let differs = |byte: &u8| matches!(byte, b'/' | b'\\') || byte.is_ascii_control();
    if bytes.iter().any(differs) || is_encoded(&bytes) {
        return Err(PathError::Encoded);
    }
    // Some servers take off what is after a semicolon before they look for dots.
    let name = bytes.split(|byte| *byte == b';').next().unwrap_or(&bytes);
    match name {
        b"." | b".." => Err(PathError::Dots),
        _ => Ok(bytes),
    }
}

fn hex(digit: u8) -> Result<u8, PathError> {
    let value = char::from(digit).to_digit(16).ok_or(PathError::Percent)?;
    u8::try_from(value).map_err(|_| PathError::Percent)
}

/// Whether a second decoding would find something.
fn is_encoded(bytes: &[u8]) -> bool {
    let is_one = |three: &[u8]| matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    bytes.windows(3).any(is_one)
}

/// Which paths a rule allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathGlob {
    written: String,
    /// Each segment; a star in it stands for any bytes.
    segments: Vec<String>,
    /// Everything below, too.
    below: bool,
}

/// Why a text is no glob of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// Too long.
    #[error("is over {MAX_GLOB_BYTES} bytes")]
    TooLong,
    /// Too many stars.
    #[error("has over {MAX_STARS} stars")]
    Stars,
    /// `**`.
    #[error("has **; one * as the last segment is for everything below")]
    DoubleStar,
    /// What other globs read as a pattern, or what no path has once it is decoded.
    #[error(
        "has a character that it cannot have: write the path decoded, without a query; only * is special"
    )]
    Character,
    /// No request's path is like it.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl PathGlob {
    /// Reads a glob as an operator wrote it.
    pub fn parse(written: &str) -> Result<PathGlob, GlobError> {
        if written.len() > MAX_GLOB_BYTES {
            return Err(GlobError::TooLong);
        }
        if written.contains("**") {
            return Err(GlobError::DoubleStar);
        }
        if written.matches('*').count() > MAX_STARS {
            return Err(GlobError::Stars);
        }
        if written.contains(['?', '%', '[', ']', '{', '}', '#'])
            || written.contains(char::is_control)
        {
            return Err(GlobError::Character);
        }
        let mut segments = Vec::new();
        let inner = written.strip_prefix('/').ok_or(PathError::Relative)?;
        let count = inner.split('/').count();
        for (place, segment) in inner.split('/').enumerate() {
            match segment {
                "" if place + 1 != count => return Err(PathError::Empty.into()),
                "." | ".." => return Err(PathError::Dots.into()),
                _ if segment.contains('\\') => return Err(PathError::Backslash.into()),
                _ => segments.push(segment.to_owned()),
            }
        }
        let below = segments.last().is_some_and(|last| last == "*");
        if below {
            segments.pop();
        }
        let written = written.to_owned();
        Ok(PathGlob {
            written,
            segments,
            below,
        })
    }

    /// Whether it has this path.
    pub fn matches(&self, path: &CanonicalPath) -> bool {
        let own = self.segments.len();
        let fits = match self.below {
            true => path.segments.len() > own,
            false => path.segments.len() == own,
        };
        let mut pairs = self.segments.iter().zip(&path.segments);
        fits && pairs.all(|(glob, segment)| segment_matches(glob.as_bytes(), segment))
    }
}

/// A star takes as little as it can, and more where what follows does not fit.
fn segment_matches(glob: &[u8], segment: &[u8]) -> bool {
    let (mut at_glob, mut at) = (0, 0);
    let mut star = None;
    while at < segment.len() {
        if glob.get(at_glob) == Some(&b'*') {
            star = Some((at_glob, at));
            at_glob += 1;
        } else if glob.get(at_glob) == segment.get(at) {
            at_glob += 1;
            at += 1;
        } else if let Some((star_at, taken)) = star {
            star = Some((star_at, taken + 1));
            at_glob = star_at + 1;
            at = taken + 1;
        } else {
            return false;
        }
    }
    glob.get(at_glob..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests;
