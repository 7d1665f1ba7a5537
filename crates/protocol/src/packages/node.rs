//! One package of npm's registry that is asked for.

use super::check_text;
use super::error::PackageError;
use super::range::Range;
use std::fmt;

/// Bytes of a name, as npm has it.
const MAX_NAME_BYTES: usize = 214;
/// Names that npm gives to nobody.
const TAKEN: [&str; 2] = ["node_modules", "favicon.ico"];

/// A name, and which versions of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRequirement {
    /// With its scope.
    pub name: String,
    /// As npm reads it, with one space between words.
    pub range: String,
}

impl NodeRequirement {
    /// Reads `name`, `name@range` or `@scope/name@range`.
    pub fn parse(text: &str) -> Result<NodeRequirement, PackageError> {
        let whole = check_text(text)?;
        let scoped = whole.strip_prefix('@');
        let (name, range) = match scoped.unwrap_or(whole).split_once('@') {
            Some((name, range)) => (name, range),
            None => (scoped.unwrap_or(whole), "*"),
        };
        let name = match scoped {
            Some(_) => format!("@{name}"),
            None => name.to_owned(),
        };
        NodeRequirement::new(&name, range).map_err(|why| PackageError::refused(text, why))
    }

    /// Of its two parts, as `package.json` has them.
    pub fn new(name: &str, range: &str) -> Result<NodeRequirement, &'static str> {
        if !is_name(name) {
            return Err("has no name that a package of npm's can have");
        }
        Range::parse(range)?;
        let words: Vec<&str> = range.split_whitespace().collect();
        let range = if words.is_empty() {
            "*".to_owned()
        } else {
            words.join(" ")
        };
        Ok(NodeRequirement {
            name: name.to_owned(),
            range,
        })
    }
}

impl fmt::Display for NodeRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.range)
    }
}

/// Capitals are in the names of old packages.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let plain = part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        plain && !part.is_empty() && !part.contains("..") && !part.starts_with(['.', '-', '_'])
    };
    let parts = match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
        Some(Some((scope, own))) => part(scope) && part(own),
        Some(None) => false,
        None => part(name),
    };
    parts && name.len() <= MAX_NAME_BYTES && !TAKEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_with_ranges_are_read() {
        for (text, form) in [
            ("lodash", "lodash@*"),
            (" lodash@^4 ", "lodash@^4"),
            ("@types/node@20", "@types/node@20"),
            ("@types/node", "@types/node@*"),
            ("express@latest", "express@latest"),
            ("a@>=1   <3 || 5.x", "a@>=1 <3 || 5.x"),
            ("a@", "a@*"),
            ("JSONStream@1.3.5", "JSONStream@1.3.5"),
        ] {
            assert_eq!(
                NodeRequirement::parse(text).unwrap().to_string(),
                form,
                "{text}"
            );
        }
    }

    #[test]
    fn what_npm_would_fetch_from_elsewhere_is_refused() {
        let long = "a".repeat(215);
        for text in [
            "",
            "git+https://example.org/x",
            "https://example.org/x.tgz",
            "a@https://example.org/x.tgz",
            "user/repo",
            "a@user/repo",
            "github:user/repo",
            "a@github:u/r",
            "a@npm:b@1",
            "a@file:../x",
            "./x",
            "../x",
            "/x",
            "~/x",
            "a@workspace:*",
            "-g",
            "--registry=x",
            "@scope",
            "@/a",
            "@a/",
            "@a/b/c",
            "a b",
            "a@1 b@2",
            ".a",
            "_a",
            "node_modules",
            "a\n",
            "é",
            &long,
        ] {
            let result = NodeRequirement::parse(text);
            // A line's end around it is no part of it.
            assert!(result.is_err() || text.trim() != text, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_reads_as_itself_and_leads_nowhere(text in "[ -~]{0,40}|@?[a-z/@]{1,8}@[0-9^~<>=|x. a-]{0,12}") {
            if let Ok(requirement) = NodeRequirement::parse(&text) {
                prop_assert!(!requirement.range.contains(['/', ':', '@', '\\']), "{requirement}");
                prop_assert!(!requirement.name.contains(".."));
                prop_assert_eq!(NodeRequirement::parse(&requirement.to_string()).unwrap(), requirement);
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,300}") {
            let _ = NodeRequirement::parse(&text);
        }
    }
}
