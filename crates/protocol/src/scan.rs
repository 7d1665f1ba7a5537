//! The pattern scan: a courtesy that flags what no honest program contains. It is no wall; the VM is.

use regex::Regex;

/// One pattern: its name, the expression, and a text that it must match (a test holds it to that).
pub struct BuiltinPattern {
    /// What events and notes call it.
    pub name: &'static str,
    /// A regular expression, multi-line, where `.` does not match a newline.
    pub expression: &'static str,
    /// A text that it finds.
    pub example: &'static str,
}

/// The patterns that are always looked for.
pub const BUILTIN_PATTERNS: &[BuiltinPattern] = &[
    BuiltinPattern {
        name: "rm-rf-root",
        // -rf, -fr, -r -f, --recursive --force …, then `/` or `/*` as a word of its own.
        expression: r#"\brm\s+(?:-[A-Za-z-]+\s+)*-(?:[A-Za-z]*[rR][A-Za-z]*|-recursive)\s+(?:-[A-Za-z-]+\s+)*["']?/(?:\*|["']|\s|$|[;&|)])"#,
        example: "rm -rf /",
    },
    BuiltinPattern {
        name: "dd-to-device",
        expression: r"\bdd\b[^\n;|&]*\bof\s*=\s*/dev/",
        example: "dd if=/dev/zero of=/dev/sda bs=1M",
    },
    BuiltinPattern {
        name: "fork-bomb",
        // The parentheses, braces and the pipe are text here, not operators.
        expression: r":\s*\(\s*\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:",
        example: ":(){ :|:& };:",
    },
    BuiltinPattern {
        name: "endless-loop",
        expression: r"\bwhile\s+(?:\[\s*)?(?:true|:)(?:\s*\])?\s*(?:;|\n)\s*do\b",
        example: "while true; do echo x; done",
    },
];

/// A user's own pattern.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternConfig {
    /// What events and notes call it.
    pub name: String,
    /// A regular expression in the syntax of Rust's `regex` crate.
    pub expression: String,
}

/// A user's pattern that is no regular expression.
#[derive(Debug, thiserror::Error)]
#[error("pattern {name:?} is no valid regular expression; correct it in the configuration")]
pub struct InvalidPattern {
    /// The pattern's name.
    pub name: String,
    #[source]
    source: regex::Error,
}

/// All patterns, compiled once.
#[derive(Debug, Clone)]
pub struct Scanner {
    patterns: Vec<(String, Regex)>,
}

impl Scanner {
    /// The built-in patterns and the user's.
    pub fn new(user: &[PatternConfig]) -> Result<Scanner, InvalidPattern> {
        let builtin = BUILTIN_PATTERNS
            .iter()
            .map(|p| (p.name.to_owned(), p.expression));
        let own = user.iter().map(|p| (p.name.clone(), p.expression.as_str()));
        let patterns = builtin
            .chain(own)
            .map(|(name, expression)| {
                regex::RegexBuilder::new(expression)
                    .multi_line(true)
                    .size_limit(1 << 20)
                    .build()
                    .map(|regex| (name.clone(), regex))
                    .map_err(|source| InvalidPattern { name, source })
            })
            .collect::<Result<_, _>>()?;
        Ok(Scanner { patterns })
    }

    /// The names of the patterns that stand in `code`. Time is linear in the code's length.
    pub fn find(&self, code: &str) -> Vec<String> {
        self.patterns
            .iter()
            .filter(|(_, regex)| regex.is_match(code))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_finds_its_example_and_variants() {
        let scanner = Scanner::new(&[]).unwrap();
        for pattern in BUILTIN_PATTERNS {
            assert_eq!(
                scanner.find(pattern.example),
                [pattern.name],
                "{}",
                pattern.example
            );
        }
        for (code, name) in [
            ("os.system('rm -fr /')", "rm-rf-root"),
            ("rm -r -f /*", "rm-rf-root"),
            ("rm --recursive --force --no-preserve-root /", "rm-rf-root"),
            ("dd bs=1 of=/dev/mem", "dd-to-device"),
            (":() { : | : & } ; :", "fork-bomb"),
            ("while true\ndo\n:\ndone", "endless-loop"),
            ("while :; do :; done", "endless-loop"),
        ] {
            assert_eq!(scanner.find(code), [name], "{code}");
        }
    }

    #[test]
    fn honest_code_passes() {
        let scanner = Scanner::new(&[]).unwrap();
        for code in [
            "rm -rf /tmp/x",
            "rm -f ./a /b",
            "dd if=a of=b",
            "while read l; do echo $l; done",
            "x = {':': 1}",
            "while True:\n    do()",
        ] {
            assert_eq!(scanner.find(code), Vec::<String>::new(), "{code}");
        }
    }

    #[test]
    fn a_users_pattern_is_added_and_a_wrong_one_named() {
        let own = |expression: &str| PatternConfig {
            name: "mine".into(),
            expression: expression.into(),
        };
        assert_eq!(
            Scanner::new(&[own("curl .*\\| *sh")])
                .unwrap()
                .find("curl x | sh"),
            ["mine"]
        );
        assert!(
            Scanner::new(&[own("(")])
                .unwrap_err()
                .to_string()
                .contains("mine")
        );
    }
}
