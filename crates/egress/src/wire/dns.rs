//! A stub resolver's query, and an answer to it that nobody upstream was asked for.

mod answer;

pub use answer::{Answer, TTL_SECONDS, answer, format_error};

use crate::name::HostName;
use crate::reason::Reason;

/// Bytes of a query over UDP without extensions (RFC 1035).
pub const MAX_QUERY_BYTES: usize = 512;

const HEADER: usize = 12;
/// Bytes of a name on the wire: a byte before each label, and the root's.
const MAX_WIRE_NAME: usize = 255;
const MAX_LABEL: usize = 63;
const CLASS_IN: u16 = 1;
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const TYPE_OPT: u16 = 41;
/// QR, opcode and TC: a query, a usual one, and whole.
const NOT_A_QUERY: u16 = 0b1111_1010_0000_0000;

/// A query of which there is one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its number, to be given back.
    pub id: u16,
    /// What is asked about.
    pub name: HostName,
    /// What of it.
    pub kind: QueryKind,
    /// Recursion was asked for, to be given back.
    recursion: Recursion,
    /// The question as it came, to be given back: resolvers compare its upper and lower case.
    question: Vec<u8>,
}

/// What is asked of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// Its IPv4 address.
    A,
    /// Its IPv6 address.
    Aaaa,
    /// A record of another type, of which there is none.
    Other(u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recursion {
    Asked,
    NotAsked,
}

/// Why bytes are no query that is answered from its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryFault {
    /// Too short for a header, too long, or an answer: nothing is said to it.
    #[error("it is no query")]
    Silence,
    /// Not one question and at most one OPT record, or a name that is none: see [`format_error`].
    #[error("it is no query with one question")]
    Malformed,
}

impl QueryFault {
    /// The reason for refusing it.
    pub fn reason(self) -> Reason {
        Reason::NameMalformed
    }
}

/// Reads a query.
pub fn parse(bytes: &[u8]) -> Result<Query, QueryFault> {
    let (id, flags) = header(bytes).ok_or(QueryFault::Silence)?;
    if flags & NOT_A_QUERY != 0 {
        return Err(QueryFault::Malformed);
    }
    let field = |at: usize| u16_at(bytes, at).ok_or(QueryFault::Malformed);
    let [questions, answers, authorities, additional] =
        [field(4)?, field(6)?, field(8)?, field(10)?];
    if questions != 1 || answers != 0 || authorities != 0 || additional > 1 {
        return Err(QueryFault::Malformed);
    }
    let (name, after) = name(bytes).ok_or(QueryFault::Malformed)?;
    let (kind, class) = (field(after)?, field(after + 2)?);
    let end = after + 4;
    let question = bytes.get(HEADER..end).ok_or(QueryFault::Malformed)?;
    let rest = bytes.get(end..).ok_or(QueryFault::Malformed)?;
    let fits = match additional {
        0 => rest.is_empty(),
        _ => is_opt(rest),
    };
    if class != CLASS_IN || !fits {
        return Err(QueryFault::Malformed);
    }
    Ok(Query {
        id,
        name,
        kind: match kind {
            TYPE_A => QueryKind::A,
            TYPE_AAAA => QueryKind::Aaaa,
            other => QueryKind::Other(other),
        },
        recursion: match flags & answer::RECURSION_DESIRED {
            0 => Recursion::NotAsked,
            _ => Recursion::Asked,
        },
        question: question.to_vec(),
    })
}

/// Number and flags of what may be a query; an answer is none, so that two servers never talk to each other.
fn header(bytes: &[u8]) -> Option<(u16, u16)> {
    let fits = (HEADER..=MAX_QUERY_BYTES).contains(&bytes.len());
    let (id, flags) = (u16_at(bytes, 0)?, u16_at(bytes, 2)?);
    (fits && flags & answer::RESPONSE == 0).then_some((id, flags))
}

/// The name of the question, and where it ends. No part of it is elsewhere: there is nothing before it to point to.
fn name(bytes: &[u8]) -> Option<(HostName, usize)> {
    let mut text = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = bytes.get(at..at + length).filter(|_| length <= MAX_LABEL)?;
        // A dot within a label would be read as one between two.
        if label.contains(&b'.') || at + length - HEADER >= MAX_WIRE_NAME || !label.is_ascii() {
            return None;
        }
        if !text.is_empty() {
            text.push(b'.');
        }
        text.extend_from_slice(label);
        at += length;
    }
    Some((HostName::from_bytes(&text).ok()?, at))
}

/// One OPT record (RFC 6891) and nothing else: resolvers that know extensions send it.
fn is_opt(bytes: &[u8]) -> bool {
    let kind = u16_at(bytes, 1);
    let length = u16_at(bytes, 9).map(usize::from);
    bytes.first() == Some(&0)
        && kind == Some(TYPE_OPT)
        && length.is_some_and(|length| bytes.len() == 11 + length)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*two))
}

#[cfg(test)]
mod tests;
