//! Answers to queries.

use super::{CLASS_IN, HEADER, Query, QueryKind, Recursion, TYPE_A, TYPE_AAAA, header};
use std::net::{Ipv4Addr, Ipv6Addr};

/// How long an answer holds, in seconds: what a name is in a clone or the next policy is asked anew.
pub const TTL_SECONDS: u32 = 1;

pub(super) const RESPONSE: u16 = 1 << 15;
pub(super) const RECURSION_DESIRED: u16 = 1 << 8;
const RECURSION_AVAILABLE: u16 = 1 << 7;
const FORMAT_ERROR: u16 = 1;
/// A pointer to the question's name, which stands right after the header (RFC 1035, 4.1.4).
const NAME_OF_QUESTION: u16 = 0xc000 | HEADER as u16;

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The name's addresses, of which that is given which was asked for.
    Addresses(Ipv4Addr, Ipv6Addr),
    /// There is such a name, and nothing of that type.
    NoData,
    /// There is no such name.
    NoSuchName,
    /// It is not to be asked for.
    Refused,
    /// It should be, and cannot be now.
    Failed,
}

impl Answer {
    fn code(self) -> u16 {
        match self {
            Answer::Addresses(..) | Answer::NoData => 0,
            Answer::Failed => 2,
            Answer::NoSuchName => 3,
            Answer::Refused => 5,
        }
    }
}

/// The answer to a query, at most 512 bytes.
pub fn answer(query: &Query, answer: Answer) -> Vec<u8> {
    let record = match (answer, query.kind) {
        (Answer::Addresses(v4, _), QueryKind::A) => Some((TYPE_A, v4.octets().to_vec())),
        (Answer::Addresses(_, v6), QueryKind::Aaaa) => Some((TYPE_AAAA, v6.octets().to_vec())),
        _ => None,
    };
    let desired = match query.recursion {
        Recursion::Asked => RECURSION_DESIRED,
        Recursion::NotAsked => 0,
    };
    let flags = RESPONSE | RECURSION_AVAILABLE | desired | answer.code();
    let answers = u16::from(record.is_some());
    let mut out = Vec::with_capacity(HEADER + query.question.len() + 28);
    for field in [query.id, flags, 1, answers, 0, 0] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend_from_slice(&query.question);
    if let Some((kind, data)) = record {
        for field in [NAME_OF_QUESTION, kind, CLASS_IN] {
            out.extend_from_slice(&field.to_be_bytes());
        }
        out.extend_from_slice(&TTL_SECONDS.to_be_bytes());
        // 4 or 16.
        out.extend_from_slice(&(data.len() as u16).to_be_bytes());
        out.extend_from_slice(&data);
    }
    out
}

/// The answer to what begins as a query and is [`super::QueryFault::Malformed`]; `None`: nothing is said.
pub fn format_error(bytes: &[u8]) -> Option<Vec<u8>> {
    let (id, _) = header(bytes)?;
    let fields = [
        id,
        RESPONSE | RECURSION_AVAILABLE | FORMAT_ERROR,
        0,
        0,
        0,
        0,
    ];
    Some(
        fields
            .iter()
            .flat_map(|field| field.to_be_bytes())
            .collect(),
    )
}
