//! One package of PyPI that is asked for: PEP 508 without its URLs.

use super::error::PackageError;
use super::marker::Marker;
use super::specifiers::Specifiers;
use super::{MAX_REQUIREMENT_BYTES, check_text};
use std::collections::BTreeSet;
use std::fmt;

/// Bytes of a name; the longest on PyPI has 80.
const MAX_NAME_BYTES: usize = 100;
const MAX_EXTRAS: usize = 16;

/// A name, what of it, in which versions, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonRequirement {
    /// As PyPI has it: PEP 503.
    pub name: String,
    /// Its extras, likewise.
    pub extras: BTreeSet<String>,
    /// The versions that will do.
    pub versions: Specifiers,
    /// When it counts.
    pub marker: Option<Marker>,
}

impl PythonRequirement {
    /// Reads `name[extra]>=1,<2 ; marker`.
    pub fn parse(text: &str) -> Result<PythonRequirement, PackageError> {
        let refused = |why| PackageError::refused(text, why);
        let whole = check_text(text)?;
        if whole.contains('@') {
            return Err(refused(
                "has '@', which names a URL; versions are given as ==1.2",
            ));
        }
        let (what, marker) = match whole.split_once(';') {
            Some((what, marker)) => (what.trim(), Some(Marker::parse(marker).map_err(refused)?)),
            None => (whole, None),
        };
        let end = what.find(|c: char| !is_of_name(c)).unwrap_or(what.len());
        let (name, rest) = what.split_at(end);
        let name = normalized(name)
            .ok_or_else(|| refused("has no name that a package can have (PEP 508)"))?;
        let (extras, rest) = extras(rest.trim_start()).map_err(refused)?;
        let rest = rest.trim();
        let versions = match rest.strip_prefix('(') {
            Some(inner) => inner
                .strip_suffix(')')
                .ok_or_else(|| refused("has a '(' without its ')'"))?,
            None => rest,
        };
        let requirement = PythonRequirement {
            name,
            extras,
            versions: Specifiers::parse(versions).map_err(refused)?,
            marker,
        };
        match requirement.to_string().len() > MAX_REQUIREMENT_BYTES {
            true => Err(refused("is too long")),
            false => Ok(requirement),
        }
    }

    /// Whether it is a name, with versions or without, and no more.
    pub fn is_name_with_versions(&self) -> bool {
        self.extras.is_empty() && self.marker.is_none()
    }
}

/// As a requirements file has it.
impl fmt::Display for PythonRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.extras.is_empty() {
            let extras: Vec<&str> = self.extras.iter().map(String::as_str).collect();
            write!(f, "[{}]", extras.join(","))?;
        }
        write!(f, "{}", self.versions)?;
        match &self.marker {
            Some(marker) => write!(f, " ; {marker}"),
            None => Ok(()),
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The one name of all its spellings (PEP 503); `None` for what is no name.
pub fn normalized(name: &str) -> Option<String> {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_name = ends(name.chars().next()) && ends(name.chars().next_back());
    if !is_name || name.len() > MAX_NAME_BYTES || !name.chars().all(is_of_name) {
        return None;
    }
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    Some(parts.join("-"))
}

/// What is in `[…]` at the start, and the rest.
fn extras(text: &str) -> Result<(BTreeSet<String>, &str), &'static str> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok((BTreeSet::new(), text));
    };
    let (inner, rest) = inner.split_once(']').ok_or("has a '[' without its ']'")?;
    if inner.trim().is_empty() {
        return Ok((BTreeSet::new(), rest));
    }
    let extras = inner.split(',').map(|extra| normalized(extra.trim()));
    let extras: Option<BTreeSet<String>> = extras.collect();
    let extras = extras.ok_or("has an extra that none can be called")?;
    match extras.len() > MAX_EXTRAS {
        true => Err("has too many extras"),
        false => Ok((extras, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_with_versions_are_read_in_every_spelling() {
        for (text, form) in [
            ("pandas", "pandas"),
            ("  Pandas == 3.0 ", "pandas==3.0"),
            ("pandas (>=2, <4)", "pandas>=2,<4"),
            ("ruamel.yaml~=0.18.1", "ruamel-yaml~=0.18.1"),
            (
                "uvicorn[Standard, standard]>=0.30",
                "uvicorn[standard]>=0.30",
            ),
            ("a[]", "a"),
            (
                "numpy!=2.0.*;python_version<'3.14'",
                "numpy!=2.0.* ; python_version < \"3.14\"",
            ),
            ("requests[security,socks]", "requests[security,socks]"),
        ] {
            assert_eq!(
                PythonRequirement::parse(text).unwrap().to_string(),
                form,
                "{text}"
            );
        }
    }

    #[test]
    fn urls_paths_options_and_nonsense_are_refused_with_the_reason() {
        let long = "a".repeat(101);
        for (text, why) in [
            ("", "is empty"),
            ("requests @ https://example.org/x.whl", "URL"),
            ("requests @ file:///etc/passwd", "URL"),
            ("https://example.org/x.whl", "URL"),
            ("git+ssh://git@example.org/x", "URL"),
            ("requests@2.0", "URL"),
            ("./local", "path"),
            ("/etc/passwd", "path"),
            ("~/x", "path"),
            ("-r other.txt", "option"),
            ("--index-url=http:x", "option"),
            ("a --hash=sha256:00", "versions without"),
            ("a b", "versions without"),
            ("a=1", "versions without"),
            ("a===1", "'==='"),
            ("a==1 --pre", "PEP 440"),
            ("a[", "']'"),
            ("a[b;c]", "marker"),
            ("a[-x]", "extra"),
            ("a(>=1", "')'"),
            ("a\\b", "versions without"),
            ("a\nb", "printable"),
            ("naïve", "printable"),
            ("a # b", "versions without"),
            ("${HOME}", "no name"),
            ("a;extra=='x'", "marker"),
            ("_a", "no name"),
            ("a-", "no name"),
            (&long, "no name"),
        ] {
            let error = PythonRequirement::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_one_line_that_reads_as_itself(text in "[ -~]{0,40}|[a-z]{1,6}(\\[[a-z,]{1,5}\\])?(==|>=|~=|<)[0-9.*a-z+!]{1,8}") {
            if let Ok(requirement) = PythonRequirement::parse(&text) {
                let line = requirement.to_string();
                prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                prop_assert!(!line.contains(['#', '$', '\\', '/', '@', ':']) && !line.starts_with('-'), "{line}");
                prop_assert_eq!(PythonRequirement::parse(&line).unwrap(), requirement);
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,300}") {
            let _ = PythonRequirement::parse(&text);
        }
    }
}
