//! Piston's names and versions of our languages, and its version selectors.

use protocol::language::{self, Language};
use semver::{Version, VersionReq};
use serde::Serialize;
use utoipa::ToSchema;

/// One runtime.
#[derive(Debug, Clone, PartialEq)]
pub struct Runtime {
    /// Our language.
    pub language: Language,
    /// Piston's name of it.
    pub name: &'static str,
    /// Other names it goes by.
    pub aliases: &'static [String],
    /// The runtime's own name, where a language has several in Piston's world.
    pub runtime: Option<&'static str>,
    /// The version in the image.
    pub version: Version,
}

/// A runtime as Piston lists it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuntimeBody {
    /// The language's name.
    pub language: &'static str,
    /// The version in the image.
    pub version: String,
    /// Other names it goes by.
    pub aliases: &'static [String],
    /// The runtime's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<&'static str>,
}

impl From<&Runtime> for RuntimeBody {
    fn from(runtime: &Runtime) -> Self {
        RuntimeBody {
            language: runtime.name,
            version: runtime.version.to_string(),
            aliases: runtime.aliases,
            runtime: runtime.runtime,
        }
    }
}

/// All runtimes.
pub fn all() -> impl Iterator<Item = Runtime> {
    language::all().map(|language| {
        let row = language.row();
        let own = row
            .piston
            .as_ref()
            .and_then(|piston| piston.runtime.as_deref());
        Runtime {
            language,
            name: row.piston_name(),
            aliases: row.piston_aliases(),
            runtime: own,
            version: version(row.version()),
        }
    })
}

/// The runtime with this name or alias whose version the selector takes.
pub fn find(name: &str, selector: &str) -> Option<Runtime> {
    let goes_by = |runtime: &Runtime| {
        runtime.name == name || runtime.aliases.iter().any(|alias| alias == name)
    };
    all().find(|runtime| goes_by(runtime) && matches(selector, &runtime.version))
}

/// "3.11" → 3.11.0.
fn version(text: &str) -> Version {
    let mut numbers = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    Version::new(next(), next(), next())
}

/// npm's selectors, which Piston uses: `*`, `3`, `3.x`, `3.11.0`, `^3.10`, `>=3.8 <4`, `1 - 3`, `a || b`.
pub fn matches(selector: &str, version: &Version) -> bool {
    // Nothing that a person or a client writes is longer.
    selector.len() <= 256
        && selector
            .split("||")
            .any(|range| requirement(range).is_some_and(|wanted| wanted.matches(version)))
}

fn requirement(range: &str) -> Option<VersionReq> {
    let range = range.trim();
    if matches!(range, "" | "*" | "x" | "X" | "latest") {
        return Some(VersionReq::STAR);
    }
    if let Some((from, to)) = range.split_once(" - ") {
        return VersionReq::parse(&format!(">={}, <={}", from.trim(), to.trim())).ok();
    }
    let mut comparators: Vec<String> = Vec::new();
    for word in range.split_whitespace() {
        match comparators.last_mut() {
            // ">= 3" is one comparator in two words.
            Some(last) if !last.ends_with(|c: char| c.is_alphanumeric() || c == '*') => {
                last.push_str(word);
            }
            _ => comparators.push(word.to_owned()),
        }
    }
    let exact = |word: &String| {
        let bare = word.trim_start_matches('v');
        // Without an operator npm means exactly this version, Cargo's crate means `^`.
        match bare.starts_with(|c: char| c.is_ascii_digit()) && !bare.contains(['x', 'X', '*']) {
            true => format!("={bare}"),
            false => bare.to_owned(),
        }
    };
    let text: Vec<String> = comparators.iter().map(exact).collect();
    VersionReq::parse(&text.join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_language_has_a_runtime_under_its_own_name_too() {
        for language in language::all() {
            let found = find(language.name(), "*").map(|runtime| runtime.language);
            assert_eq!(found, Some(language), "{language}");
        }
        assert_eq!(find("js", "24.x").map(|r| r.name), Some("javascript"));
        assert_eq!(find("cobol", "*"), None);
    }

    #[test]
    fn selectors_mean_what_npm_means() {
        let version = Version::new(3, 11, 2);
        for yes in [
            "*",
            "3",
            "3.x",
            "3.11",
            "3.11.2",
            "v3.11.2",
            "^3.9",
            "~3.11",
            ">=3.8",
            ">= 3.8 <4",
            "2 || 3",
            "3.0.0 - 4.0.0",
            "3.11.x",
        ] {
            assert!(matches(yes, &version), "{yes}");
        }
        for no in [
            "2", "3.10", "3.11.1", "^4", "<3", "3.12.x", "nonsense", "2 || 4", "../3",
        ] {
            assert!(!matches(no, &version), "{no}");
        }
    }

    proptest! {
        #[test]
        fn no_selector_makes_it_panic(selector in "\\PC{0,40}|[0-9x*^~<>=. |-]{0,20}") {
            let _ = matches(&selector, &Version::new(3, 11, 0));
        }
    }
}
