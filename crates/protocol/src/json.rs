//! How much a JSON text holds, told from its punctuation before anything is allocated for it.
//!
//! A hostile peer's text may be small on the wire and large in memory: a map of one empty string costs
//! 8 bytes there and some 600 here. Whoever parses a text of a peer's bounds its values first.

use memchr::memchr2;

/// Whether the text holds at most `max` values. Exact for JSON; of other texts it says the same about
/// the part that a parser would get to read.
pub fn holds_at_most(text: &[u8], max: usize) -> bool {
    // Each value but the first stands behind a byte of punctuation.
    text.len() <= max || values(text) <= max
}

fn values(text: &[u8]) -> usize {
    let mut count = 1;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' | b',' | b':' => count += 1,
            b'"' => at += string(&text[at..]),
            _ => {}
        }
    }
    count
}

/// The length of what is left of a string, its closing quote included.
fn string(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', &text[at..]) {
        at += found + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        // What is escaped ends nothing.
        at += 1;
        if at > text.len() {
            break;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Values, and names of members.
    fn counted(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(counted).sum::<usize>(),
            Value::Object(members) => 1 + members.values().map(|v| 1 + counted(v)).sum::<usize>(),
            _ => 1,
        }
    }

    #[test]
    fn punctuation_in_strings_counts_for_nothing() {
        let text = json!({"a,[{": "\",\\\"[{:\\", "b": [",", {}]}).to_string();
        assert!(values(text.as_bytes()) <= 9, "{}", values(text.as_bytes()));
        for broken in ["\"", "\"\\", "\"\\\"", "\\\"", ""] {
            assert_eq!(values(broken.as_bytes()), 1, "{broken:?}");
        }
    }

    #[test]
    fn many_small_values_are_too_many() {
        let text = format!("[{}0]", "0,".repeat(1000));
        assert!(!holds_at_most(text.as_bytes(), 1000));
        assert!(holds_at_most(text.as_bytes(), 1002));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::btree_map(".{0,8}", inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_is_missed(value in any_json()) {
            let text = value.to_string();
            let (said, is) = (values(text.as_bytes()), counted(&value));
            prop_assert!(is <= said && said <= 2 * is, "{said} {is}: {text}");
        }
    }
}
