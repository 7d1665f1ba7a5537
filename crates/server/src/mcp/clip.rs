//! What of a text a model is shown: all of it, or its head and its tail with a line between them that says how much is
//! left out. Assistants cut longer results themselves, or refuse them, and then nobody has the end, where errors stand.

/// Bytes of all texts of one result together. Assistants take some 25,000 tokens; this is a quarter of that for prose.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;

/// What the line between head and tail takes at most.
const MARK_BYTES: usize = 64;

/// A text, as far as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clipped {
    /// Head, mark and tail, or all of it.
    pub text: String,
    /// Bytes that are not shown.
    pub left_out: usize,
}

/// A program's bytes as text. What is no UTF-8, and what steers a terminal, becomes U+FFFD: each such character would
/// take six bytes in JSON, and a client that prints it would have its terminal repainted.
pub fn readable(bytes: &[u8]) -> String {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    let text = String::from_utf8_lossy(bytes);
    match text.contains(steers) {
        true => text.replace(steers, "\u{fffd}"),
        false => text.into_owned(),
    }
}

/// The same on one line, for names that a guest chose.
pub fn on_one_line(name: &str) -> String {
    readable(name.as_bytes()).replace(['\n', '\r', '\t'], "\u{fffd}")
}

/// Each text within its fair share of [`MAX_TEXT_BYTES`].
pub fn clip_all<const N: usize>(texts: [String; N]) -> [Clipped; N] {
    let shares = shares(texts.each_ref().map(String::len), MAX_TEXT_BYTES);
    let mut shares = shares.into_iter();
    texts.map(|text| clip(text, shares.next().unwrap_or(0)))
}

/// How many bytes each gets of all: what one does not need goes to those that need more.
fn shares<const N: usize>(sizes: [usize; N], all: usize) -> [usize; N] {
    let mut order: Vec<usize> = (0..N).collect();
    order.sort_by_key(|index| sizes[*index]);
    let (mut shares, mut left) = ([0; N], all);
    for (done, index) in order.into_iter().enumerate() {
        shares[index] = sizes[index].min(left / (N - done));
        left -= shares[index];
    }
    shares
}

/// Head and tail of a text, at most so many bytes with the mark.
fn clip(text: String, most: usize) -> Clipped {
    if text.len() <= most {
        let left_out = 0;
        return Clipped { text, left_out };
    }
    let room = most.saturating_sub(MARK_BYTES);
    let head = &text[..text.floor_char_boundary_of(room / 2)];
    let tail = &text[text.ceil_char_boundary_of(text.len() - room / 2)..];
    let left_out = text.len() - head.len() - tail.len();
    Clipped {
        text: format!("{head}\n[… {left_out} bytes left out …]\n{tail}"),
        left_out,
    }
}

/// `str::floor_char_boundary` is younger than the compiler that this project promises to build with.
trait Boundaries {
    fn floor_char_boundary_of(&self, at: usize) -> usize;
    fn ceil_char_boundary_of(&self, at: usize) -> usize;
}

impl Boundaries for str {
    fn floor_char_boundary_of(&self, at: usize) -> usize {
        let at = at.min(self.len());
        (0..=at)
            .rev()
            .find(|at| self.is_char_boundary(*at))
            .unwrap_or(0)
    }

    fn ceil_char_boundary_of(&self, at: usize) -> usize {
        let mut later = at..=self.len();
        later
            .find(|at| self.is_char_boundary(*at))
            .unwrap_or(self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_fits_stays_and_what_does_not_keeps_both_ends() {
        let short = clip("all of it\n".into(), 1024);
        assert_eq!((short.text.as_str(), short.left_out), ("all of it\n", 0));
        let lines: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
        let long = clip(lines.clone(), 1024);
        assert!(long.text.starts_with("line 0\n") && long.text.ends_with("line 9999\n"));
        let mark = format!("[… {} bytes left out …]", long.left_out);
        assert!(long.text.contains(&mark));
        assert!(long.left_out > lines.len() - 1024);
    }

    #[test]
    fn one_text_may_have_all_that_the_others_leave() {
        for (sizes, all, wanted) in [
            ([0, 0, 0], 100, [0, 0, 0]),
            ([10, 20, 30], 100, [10, 20, 30]),
            ([1000, 0, 10], 100, [90, 0, 10]),
            ([1000, 1000, 10], 100, [45, 45, 10]),
            ([1000, 1000, 1000], 99, [33, 33, 33]),
        ] {
            assert_eq!(shares(sizes, all), wanted);
        }
    }

    #[test]
    fn a_result_stays_within_its_bytes_whatever_its_streams_are() {
        let long = |n: usize| "é\u{1}".repeat(n);
        for texts in [
            [long(1_000_000), String::new(), String::new()],
            [long(1_000_000), long(1_000_000), long(1_000_000)],
            [long(10), long(1_000_000), long(3)],
        ] {
            let texts = texts.map(|text| readable(text.as_bytes()));
            let clipped = clip_all(texts);
            let bytes: usize = clipped.iter().map(|clipped| clipped.text.len()).sum();
            assert!(bytes <= MAX_TEXT_BYTES, "{bytes}");
            assert!(bytes > MAX_TEXT_BYTES / 2, "{bytes}");
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        assert_eq!(
            readable(b"a\x1b[2J\tb\r\n\xff\x07"),
            "a\u{fffd}[2J\tb\r\n\u{fffd}\u{fffd}"
        );
        assert_eq!(on_one_line("a\nb\u{9b}"), "a\u{fffd}b\u{fffd}");
    }

    proptest! {
        #[test]
        fn head_and_tail_are_the_texts_own(text in "\\PC{0,400}", most in 128usize..300) {
            let clipped = clip(text.clone(), most);
            prop_assert!(clipped.text.len() <= most);
            match clipped.text.split_once("\n[… ") {
                Some((head, rest)) if clipped.left_out > 0 => {
                    let tail = rest.split_once(" bytes left out …]\n").unwrap().1;
                    prop_assert!(text.starts_with(head) && text.ends_with(tail));
                    prop_assert_eq!(head.len() + tail.len() + clipped.left_out, text.len());
                }
                _ => prop_assert_eq!(clipped.text, text),
            }
        }

        #[test]
        fn shares_are_no_more_than_all_and_leave_nothing_that_is_needed(sizes: [u16; 5], all in 0usize..100_000) {
            let sizes = sizes.map(usize::from);
            let shares = shares(sizes, all);
            let sum: usize = shares.iter().sum();
            prop_assert!(sum <= all);
            prop_assert!(shares.iter().zip(sizes).all(|(share, size)| *share <= size));
            // Rounding leaves less than one byte a text.
            let wanted: usize = sizes.iter().sum();
            prop_assert!(sum + sizes.len() > all.min(wanted));
        }
    }
}
