use super::*;
use proptest::prelude::*;

/// The PEP's own.
const EXAMPLE: &str = r#"# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "requests<3",
#   "rich",
# ]
# ///

import requests
from rich.pretty import pprint
"#;

#[test]
fn the_peps_example_is_read() {
    let header = read(EXAMPLE).unwrap().unwrap();
    assert_eq!(header.packages.lines(), ["requests<3", "rich"]);
    header
        .check_python(&Version::parse("3.13.5").unwrap())
        .unwrap();
    let error = header
        .check_python(&Version::parse("3.10").unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("requires Python >=3.11, and the image has 3.10"),
        "{error}"
    );
}

#[test]
fn a_header_may_lack_either_and_stand_anywhere() {
    for (code, lines) in [
        (
            "#!/usr/bin/env -S uv run --script\n#\n# /// script\n# dependencies = ['a']\n# ///\n",
            vec!["a"],
        ),
        (
            "import os\n\n# /// script\n# requires-python = '>=3'\n# ///",
            vec![],
        ),
        ("# /// script\n#\n# ///\n", vec![]),
        (
            "# /// script\r\n# dependencies = ['a']\r\n# ///\r\nx\r\n",
            vec!["a"],
        ),
        (
            "# /// script\n# dependencies = ['b', 'a', 'B']\n# [tool.ruff]\n# line-length = 7\n# ///\n",
            vec!["a", "b"],
        ),
        (
            "# /// script\n# dependencies = ['a']\n# [tool.uv]\n# exclude-newer = '2026-01-01T00:00:00Z'\n# ///\n",
            vec!["a"],
        ),
    ] {
        assert_eq!(
            read(code).unwrap().unwrap().packages.lines(),
            lines,
            "{code}"
        );
    }
}

/// Each beside what the reference's regular expression finds.
#[test]
fn blocks_are_found_as_the_reference_finds_them() {
    for (code, content) in [
        ("# /// script\n# a\n# ///\n", Some("a\n")),
        // The last end of the comments counts, so ends may be in it.
        (
            "# /// script\n# a\n# ///\n# b\n# ///\n",
            Some("a\n///\nb\n"),
        ),
        ("# /// script\n# a\n# ///\n# b\n", Some("a\n")),
        ("# /// script\n# a\n# ///\n\n# b\n# ///\n", Some("a\n")),
        ("# /// script\n# a\n", None),
        ("# /// script\n# a\n\n# ///\n", None),
        ("# /// script\n# a\n#b\n# ///\n", None),
        ("# /// script\n#\n# ///\n", Some("\n")),
        // Something is in a block.
        ("# /// script\n# ///\n", None),
        ("# /// script\n# ///\n# ///\n", Some("///\n")),
        ("# /// script \n# a\n# ///\n", None),
        ("# /// script\n# a\n# /// \n", None),
        (" # /// script\n# a\n# ///\n", None),
        ("#/// script\n# a\n# ///\n", None),
        ("x = '''\n# /// script\n# a\n# ///\n'''\n", Some("a\n")),
        ("# /// other\n# a\n# ///\n", None),
        // In another's block it is content.
        ("# /// other\n# /// script\n# a\n# ///\n", None),
        // The other never ends, and so is none.
        ("# /// other\n\n# /// script\n# a\n# ///\n", Some("a\n")),
        (
            "# /// script\n# /// script\n# a\n# ///\n",
            Some("/// script\na\n"),
        ),
        ("# /// script\n\n# /// script\n# a\n# ///\n", Some("a\n")),
        ("", None),
    ] {
        assert_eq!(block(code).unwrap().as_deref(), content, "{code}");
    }
    assert_eq!(
        block("# /// script\n# a\n# ///\n\n# /// script\n# b\n# ///\n"),
        Err(PackageError::Blocks)
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_the_reason() {
    let large = format!("a = '{}'", "x".repeat(MAX_BYTES));
    for (content, why) in [
        ("dependencies = [", "cannot be read"),
        ("dependencies = 'a'", "cannot be read"),
        ("dependencies = [1]", "cannot be read"),
        ("dependencies = ['a @ https://example.org/x.whl']", "URL"),
        ("requires-python = 'three'", "versions without"),
        ("[tool.uv]\n# index = []", "tool.uv.index"),
        (
            "[[tool.uv.index]]\n# url = 'https://example.org'",
            "tool.uv.index",
        ),
        (
            "[tool.uv.sources]\n# a = { path = '/etc' }",
            "tool.uv.sources",
        ),
        (
            "[tool.uv.pip]\n# extra-index-url = ['x']",
            "tool.uv.pip.extra-index-url",
        ),
        (&large, "bytes"),
    ] {
        let error = read(&format!("# /// script\n# {content}\n# ///\n"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{content:.60}: {error}");
    }
}

#[test]
fn depth_is_bounded() {
    let deep = format!("# /// script\n# a = {}\n# ///\n", "[".repeat(30_000));
    assert!(read(&deep).is_err());
}

proptest! {
    /// The same as the reference, written as it is written there.
    #[test]
    fn the_search_agrees_with_the_regular_expression(lines in proptest::collection::vec(
        prop_oneof!["# /// script", "# /// other", "# ///", "#", "# a", "#b", ""], 0..12)) {
        let code = lines.join("\n");
        // `regex` has no backtracking, but leftmost-first matches are the same.
        let reference = regex::Regex::new(r"(?m)^# /// ([a-zA-Z0-9-]+)$\s((?:^#(?:| .*)$\s)+)^# ///$").unwrap();
        let found: Vec<String> = reference
            .captures_iter(&code)
            .filter(|found| &found[1] == "script")
            .map(|found| found[2].lines().map(|line| line.strip_prefix("# ").unwrap_or(&line[1..]).to_owned() + "\n").collect())
            .collect();
        match found.len() {
            0 => prop_assert_eq!(block(&code), Ok(None)),
            1 => prop_assert_eq!(block(&code), Ok(found.first().cloned())),
            _ => prop_assert_eq!(block(&code), Err(PackageError::Blocks)),
        }
    }

    #[test]
    fn nothing_makes_it_panic(code in "(# /// script\n)?(# \\PC{0,40}\n){0,4}(# ///\n)?") {
        let _ = read(&code);
    }
}
