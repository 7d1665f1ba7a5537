//! What a resolver says, as a client may be shown it: printable, bounded, without anybody's password.

/// Bytes kept; the longest explanations of `uv` have some thousand.
const MAX_BYTES: usize = 4096;

/// Lines of a resolver, as far as they are kept. Its first ones say what is wrong, so the end is what is cut.
pub(super) fn shown<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for line in lines {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        let line = without_passwords(line.trim_end());
        if line.trim().is_empty() {
            continue;
        }
        if text.len() + line.len() + 1 > MAX_BYTES {
            text.push_str(if text.is_empty() { "…" } else { "\n…" });
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    text
}

/// Whoever is named in a URL before its host.
fn without_passwords(line: &str) -> String {
    let mut parts = line.split("://");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(['/', ' ', '`', '"', '\'', ')', '>'])
            .unwrap_or(part.len());
        let host = part[..end].rfind('@').map_or(0, |at| at + 1);
        text.push_str("://");
        text.push_str(&part[host..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_printable_bounded_and_tell_no_password() {
        for (line, expected) in [
            ("plain", "plain"),
            ("\u{1b}[31mred\u{1b}[0m\u{7}", "[31mred[0m"),
            (
                "GET https://me:secret@host/x failed",
                "GET https://host/x failed",
            ),
            (
                "`https://me:a@b@host` and http://you@other:80/a@b",
                "`https://host` and http://other:80/a@b",
            ),
            ("https://host/@scope/name", "https://host/@scope/name"),
        ] {
            assert_eq!(shown([line].into_iter()), expected);
        }
        assert_eq!(shown(["a", "", " ", "b"].into_iter()), "a\nb");
        let long = "x".repeat(1000);
        let text = shown(std::iter::repeat_n(long.as_str(), 100));
        assert!(text.len() <= MAX_BYTES + 4 && text.ends_with("\n…"));
        assert_eq!(shown(["x".repeat(5000).as_str()].into_iter()), "…");
    }
}
