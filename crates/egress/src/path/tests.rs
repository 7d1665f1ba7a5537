#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use super::*;
use proptest::prelude::*;

fn has(glob: &str, path: &str) -> bool {
    PathGlob::parse(glob)
        .unwrap()
        .matches(&CanonicalPath::parse(path).unwrap())
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for (path, error) in [
        ("", PathError::Relative),
        ("v1", PathError::Relative),
        ("*", PathError::Relative),
        ("//v1", PathError::Empty),
        ("/v1//x", PathError::Empty),
        ("/v1//", PathError::Empty),
        ("/v1/./x", PathError::Dots),
        ("/v1/../x", PathError::Dots),
        ("/v1/..", PathError::Dots),
        ("/.", PathError::Dots),
        ("/v1/%2e%2e/x", PathError::Dots),
        ("/v1/%2E./x", PathError::Dots),
        ("/v1/.%2e", PathError::Dots),
        ("/v1/..;a=b/x", PathError::Dots),
        ("/v1/%2e%2e%3bx/y", PathError::Dots),
        ("/v1/.;/x", PathError::Dots),
        ("/v1/..%2fx", PathError::Encoded),
        ("/v1/a%2Fb", PathError::Encoded),
        ("/v1/a%5cb", PathError::Encoded),
        ("/v1/%252e%252e/x", PathError::Encoded),
        ("/v1/a%00", PathError::Encoded),
        ("/v1/a%0d%0ab", PathError::Encoded),
        ("/v1/a%7f", PathError::Encoded),
        ("/v1\\x", PathError::Backslash),
        ("/v1/..\\x", PathError::Backslash),
        ("/v1/%", PathError::Percent),
        ("/v1/%2", PathError::Percent),
        ("/v1/%zz", PathError::Percent),
        ("/v1/%+f", PathError::Percent),
        ("/v1/a b", PathError::Byte),
        ("/v1/a#b", PathError::Byte),
        ("/v1/\u{fc}", PathError::Byte),
        ("/v1/a\nb", PathError::Byte),
    ] {
        assert_eq!(CanonicalPath::parse(path), Err(error), "{path:?}");
    }
    for path in [
        "/",
        "/v1/",
        "/v1/a.b",
        "/v1/...",
        "/v1/..a",
        "/v1/%C3%BC",
        "/v1/100%25",
        "/v1/a?x=../..//%2f",
        "/a;b=c",
    ] {
        assert!(CanonicalPath::parse(path).is_ok(), "{path:?}");
    }
}

#[test]
fn globs() {
    for (glob, path, expected) in [
        ("/v1/*", "/v1/", true),
        ("/v1/*", "/v1/a", true),
        ("/v1/*", "/v1/a/b/", true),
        ("/v1/*", "/v1", false),
        ("/v1/*", "/v10/a", false),
        ("/v1/*", "/V1/a", false),
        ("/v1/*", "/%761/a", true),
        ("/v1/*", "/v1/?x=1", true),
        ("/*", "/", true),
        ("/*", "/a/b", true),
        ("/", "/", true),
        ("/", "/a", false),
        ("/v1", "/v1", true),
        ("/v1", "/v1/", false),
        ("/v1/", "/v1/", true),
        ("/v1/", "/v1", false),
        ("/v*/models", "/v1/models", true),
        ("/v*/models", "/v/models", true),
        ("/v*/models", "/v1/x/models", false),
        ("/a*b*c", "/aXbYbZc", true),
        ("/a*b*c", "/aXbYbZcd", false),
        ("/*.git/*", "/x.git/info", true),
        ("/*/info", "/a/info", true),
        ("/*/info", "/a/b/info", false),
        ("/a b", "/a%20b", true),
        ("/\u{fc}", "/%C3%BC", true),
        ("/v1*", "/v1/a", false),
        ("/v1*", "/v1a", true),
    ] {
        assert_eq!(has(glob, path), expected, "{glob} {path}");
    }
}

#[test]
fn what_is_no_glob() {
    for (glob, error) in [
        ("v1", GlobError::Path(PathError::Relative)),
        ("", GlobError::Path(PathError::Relative)),
        ("*", GlobError::Path(PathError::Relative)),
        ("/v1/**", GlobError::DoubleStar),
        ("/v1//x", GlobError::Path(PathError::Empty)),
        ("/v1/../x", GlobError::Path(PathError::Dots)),
        ("/v1\\x", GlobError::Path(PathError::Backslash)),
        ("/v1/a?b", GlobError::Character),
        ("/v1/%20", GlobError::Character),
        ("/v1/[a]", GlobError::Character),
        ("/{a,b}", GlobError::Character),
        ("/a\n", GlobError::Character),
        ("/*a*a*a*a*a*a*a*a*a", GlobError::Stars),
    ] {
        assert_eq!(PathGlob::parse(glob), Err(error), "{glob:?}");
    }
    let long = format!("/{}", "a".repeat(MAX_GLOB_BYTES));
    assert_eq!(PathGlob::parse(&long), Err(GlobError::TooLong));
    assert_eq!(PathGlob::parse("/v1/*").unwrap().to_string(), "/v1/*");
}

proptest! {
    #[test]
    fn a_path_stays_below_what_a_glob_says(path in "[/.%2eEfF5cC;a\\\\]{0,24}") {
        let Ok(canonical) = CanonicalPath::parse(&format!("/v1/{path}")) else { return Ok(()) };
        prop_assert!(PathGlob::parse("/v1/*").unwrap().matches(&canonical));
        for segment in &canonical.segments {
            prop_assert!(segment != b"." && segment != b".." && !segment.contains(&b'/'));
        }
    }

    #[test]
    fn a_glob_of_one_segment_is_a_regular_expression(glob in "[ab*]{1,6}", segment in "[ab]{0,8}") {
        prop_assume!(!glob.contains("**"));
        let pieces: Vec<&str> = glob.split('*').collect();
        prop_assert_eq!(segment_matches(glob.as_bytes(), segment.as_bytes()), by_pieces(&pieces, &segment));
    }
}

/// The first piece in front, the last at the end, the others between in their order.
fn by_pieces(pieces: &[&str], segment: &str) -> bool {
    match pieces {
        [only] => segment == *only,
        [first, middle @ .., last] => {
            let Some(mut rest) = segment
                .strip_prefix(first)
                .and_then(|rest| rest.strip_suffix(last))
            else {
                return false;
            };
            for piece in middle {
                let Some(at) = rest.find(piece) else {
                    return false;
                };
                rest = &rest[at + piece.len()..];
            }
            true
        }
        [] => false,
    }
}
