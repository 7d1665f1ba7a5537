//! Inputs: a seed with a few edits, as fuzzers make them; now and then bytes from nowhere. As
//! strategies of proptest's, so that a failure shrinks to few edits.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// No input grows beyond this, in bytes: repeated fragments are what costs memory.
const MAX_INPUT_BYTES: usize = 256 * 1024;

/// Values at which parsers turn: lengths, signs, ends of types, breaks of JSON, TOML and text.
const TOKENS: &[&[u8]] = &[
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\0\x40\0\0",
    b"\0\x40\0\x01",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"#",
    b"null",
    b"true",
    b"0",
    b"-0",
    b"-1",
    b"1e999",
    b"nan",
    b"inf",
    b"18446744073709551615",
    b"9223372036854775808",
    b"0.0000000001",
    b"../",
    b"/",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"{}",
    b"[]",
    b"{\"\":0}",
];

#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, usize),
    /// A piece of the input, that many times.
    Repeat(Index, usize, usize),
    /// The rest comes from another seed.
    Splice(Index, Vec<u8>, Index),
    Cut(Index),
}

/// Mutants of these seeds.
pub fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec(edit(seeds.clone()), 0..6);
    let mutant =
        (select(seeds), edits).prop_map(|(seed, edits)| edits.into_iter().fold(seed, apply));
    prop_oneof![15 => mutant, 1 => vec(any::<u8>(), 0..512)]
}

fn edit(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let token = select(TOKENS).prop_map(<[u8]>::to_vec);
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        4 => (at(), token).prop_map(|(at, token)| Edit::Insert(at, token)),
        1 => (at(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        3 => (at(), 1..64usize).prop_map(|(at, count)| Edit::Delete(at, count)),
        2 => (at(), 1..64usize, 1..8usize).prop_map(|(at, size, times)| Edit::Repeat(at, size, times)),
        1 => (at(), 1..64usize, 8..8192usize).prop_map(|(at, size, times)| Edit::Repeat(at, size, times)),
        2 => (at(), select(seeds), at()).prop_map(|(at, other, from)| Edit::Splice(at, other, from)),
        1 => at().prop_map(Edit::Cut),
    ]
}

fn apply(mut input: Vec<u8>, edit: Edit) -> Vec<u8> {
    let place = |at: &Index, length: usize| at.index(length + 1);
    match edit {
        Edit::Set(at, byte) => {
            let at = place(&at, input.len());
            if let Some(old) = input.get_mut(at) {
                *old = byte;
            }
        }
        Edit::Insert(at, bytes) => {
            let at = place(&at, input.len());
            input.splice(at..at, bytes);
        }
        Edit::Delete(at, count) => {
            let at = place(&at, input.len());
            let end = (at + count).min(input.len());
            input.drain(at..end);
        }
        Edit::Repeat(at, size, times) => {
            let at = place(&at, input.len());
            let end = (at + size).min(input.len());
            let piece = input[at..end].repeat(times);
            input.splice(end..end, piece);
        }
        Edit::Splice(at, other, from) => {
            input.truncate(place(&at, input.len()));
            input.extend_from_slice(&other[place(&from, other.len())..]);
        }
        Edit::Cut(at) => input.truncate(place(&at, input.len())),
    }
    input.truncate(MAX_INPUT_BYTES);
    input
}
