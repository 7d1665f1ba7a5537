//! A resolver's words as a client may read them: where packages come from, and folders of the host, are left out.

/// In the place of what is left out.
const LEFT_OUT: &str = "…";
/// What may stand before a URL or a path, and end one.
const AROUND: [char; 9] = ['`', '"', '\'', '(', ')', '<', '>', '[', ']'];

/// Bytes of it.
const MAX_BYTES: usize = 3000;

/// The same text on one line, without URLs and absolute paths.
pub(super) fn public(text: &str) -> String {
    let mut shown = String::new();
    for word in text.split_whitespace().map(without) {
        if shown.len() + word.len() > MAX_BYTES {
            shown.push_str(LEFT_OUT);
            break;
        }
        shown.push_str(&word);
        shown.push(' ');
    }
    shown.truncate(shown.trim_end().len());
    shown
}

fn without(trimmed: &str) -> String {
    let inner = trimmed.trim_start_matches(AROUND);
    let before = &trimmed[..trimmed.len() - inner.len()];
    match is_inside(inner) {
        true => format!("{before}{LEFT_OUT}{}", after(inner)),
        false => trimmed.to_owned(),
    }
}

/// It leads to a registry, or into a folder. A scope's name (`@a/b`) does not.
fn is_inside(word: &str) -> bool {
    word.contains("://") || (word.starts_with('/') && word.len() > 1) || word.contains("=/")
}

/// What closes what was opened before it.
fn after(word: &str) -> &str {
    let kept = word.trim_end_matches(['.', ',', ';', ':']);
    let kept = kept.trim_end_matches(AROUND);
    &word[kept.len()..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_and_paths_are_left_out_and_all_else_stays() {
        for (text, shown) in [
            (
                "Because only requests<=2.34.2 is available",
                "Because only requests<=2.34.2 is available",
            ),
            (
                "404 Not Found - GET https://host:80/no%2fsuch - not found",
                "404 Not Found - GET … - not found",
            ),
            (
                "in `/tmp/x`, (see http://a/b).\n  @types/node@1 and/or x",
                "in `…`, (see …). @types/node@1 and/or x",
            ),
            ("path=/etc/x", "…"),
            ("a / b", "a / b"),
        ] {
            assert_eq!(public(text), shown);
        }
        let long = public(&"word ".repeat(9000));
        assert!(long.len() <= MAX_BYTES + LEFT_OUT.len() && long.ends_with('…'));
    }

    proptest! {
        #[test]
        fn no_url_gets_through(before in "[a-z `(]{0,9}", host in "[a-z]{3,9}", path in "[a-z/.)`]{0,9}") {
            let text = public(&format!("{before}https://{host}/{path} end"));
            prop_assert!(!text.contains("://"), "{text}");
        }
    }
}
