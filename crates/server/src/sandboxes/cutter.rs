//! Cuts what a process wrote between characters, not inside them, and keeps the offsets exact: what was told lies
//! whole before what is still to come.

use protocol::supervisor::OutputKind;
use sandbox::live::OutputPiece;

/// Holds back the beginning of a character whose end is still to come: at most 3 bytes.
#[derive(Default)]
pub struct Cutter {
    rest: Option<OutputPiece>,
}

/// The offset behind a piece.
pub fn end_of(piece: &OutputPiece) -> u64 {
    piece.offset + piece.data.len() as u64
}

impl Cutter {
    /// What can be told now, in order. What was held back of one output is told before another's, as bytes.
    pub fn take(&mut self, mut piece: OutputPiece) -> Vec<OutputPiece> {
        let mut told = Vec::new();
        match self.rest.take() {
            Some(mut rest) if rest.kind == piece.kind && end_of(&rest) == piece.offset => {
                rest.data.extend_from_slice(&piece.data);
                piece = rest;
            }
            rest => told.extend(rest),
        }
        let (kind, cut) = (piece.kind, whole(&piece.data));
        let data = piece.data.split_off(cut);
        let offset = end_of(&piece);
        told.push(piece);
        self.rest = Some(OutputPiece { offset, kind, data }).filter(has_bytes);
        told.retain(has_bytes);
        told
    }

    /// What was held back, when nothing more comes.
    pub fn rest(&mut self) -> Option<OutputPiece> {
        self.rest.take()
    }
}

fn has_bytes(piece: &OutputPiece) -> bool {
    !piece.data.is_empty()
}

/// Bytes up to a last character that goes on. What is no UTF-8 anyway is not cut.
fn whole(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        // Only an error without a length is a character that goes on.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// How an output is called.
pub fn name(kind: OutputKind) -> &'static str {
    match kind {
        OutputKind::Stdout | OutputKind::LaneStdout(_) => "stdout",
        OutputKind::Stderr | OutputKind::LaneStderr(_) => "stderr",
        OutputKind::Terminal => "terminal",
        OutputKind::Control => "control",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(offset: u64, kind: OutputKind, data: &[u8]) -> OutputPiece {
        OutputPiece {
            offset,
            kind,
            data: data.into(),
        }
    }

    fn told(pieces: Vec<OutputPiece>) -> Vec<(u64, Vec<u8>)> {
        let plain = |piece: OutputPiece| (piece.offset, piece.data);
        pieces.into_iter().map(plain).collect()
    }

    #[test]
    fn another_output_does_not_pass_what_is_held_back() {
        use OutputKind::{Stderr, Stdout};
        let mut cutter = Cutter::default();
        assert_eq!(
            told(cutter.take(piece(10, Stdout, b"a\xc3"))),
            [(10, b"a".to_vec())]
        );
        let both = cutter.take(piece(12, Stderr, b"e"));
        assert_eq!(told(both), [(11, b"\xc3".to_vec()), (12, b"e".to_vec())]);
        assert_eq!(told(cutter.take(piece(13, Stdout, b"\xe2\x82"))), []);
        assert_eq!(
            told(cutter.take(piece(15, Stdout, b"\xac!"))),
            [(13, "€!".into())]
        );
        assert_eq!(told(cutter.take(piece(19, Stdout, b"\xf0"))), []);
        // What lay between is no longer kept.
        let gap = cutter.take(piece(90, Stdout, b"x"));
        assert_eq!(told(gap), [(19, b"\xf0".to_vec()), (90, b"x".to_vec())]);
        assert!(cutter.rest().is_none());
    }

    proptest! {
        #[test]
        fn every_byte_is_told_once_in_order_and_text_is_whole(
            text in "\\PC{0,40}", cuts in proptest::collection::vec((1usize..6, any::<bool>()), 1..40),
        ) {
            let (mut cutter, mut out, mut at) = (Cutter::default(), Vec::new(), 0);
            let mut cuts = cuts.iter().cycle();
            while at < text.len() {
                let (length, is_stdout) = *cuts.next().unwrap();
                let kind = if is_stdout { OutputKind::Stdout } else { OutputKind::Stderr };
                let end = (at + length).min(text.len());
                let given = piece(at as u64, kind, &text.as_bytes()[at..end]);
                out.extend(cutter.take(given));
                prop_assert!(cutter.rest.as_ref().is_none_or(|rest| rest.data.len() <= 3));
                at = end;
            }
            out.extend(cutter.rest());
            let mut next = 0;
            for piece in &out {
                prop_assert_eq!(piece.offset, next);
                next = end_of(piece);
            }
            let all: Vec<u8> = out.iter().flat_map(|piece| piece.data.clone()).collect();
            prop_assert_eq!(all, text.as_bytes());
        }

        #[test]
        fn one_output_is_told_in_whole_characters(text in "\\PC{0,60}", cuts in proptest::collection::vec(1usize..6, 1..40)) {
            let (mut cutter, mut at) = (Cutter::default(), 0);
            let mut cuts = cuts.iter().cycle();
            while at < text.len() {
                let end = (at + cuts.next().unwrap()).min(text.len());
                let given = piece(at as u64, OutputKind::Terminal, &text.as_bytes()[at..end]);
                for told in cutter.take(given) {
                    prop_assert!(std::str::from_utf8(&told.data).is_ok());
                }
                at = end;
            }
            prop_assert!(cutter.rest().is_none());
        }
    }
}
