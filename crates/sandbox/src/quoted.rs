//! A guest's words in messages of ours.

/// The most that is repeated, in characters.
const MAX_CHARACTERS: usize = 500;

/// A guest's words as they may be told: shortened and escaped.
pub fn quoted(words: &str) -> String {
    let first = words.chars().take(MAX_CHARACTERS);
    first.flat_map(char::escape_debug).collect()
}
