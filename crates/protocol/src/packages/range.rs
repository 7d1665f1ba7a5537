//! Which versions of a package of npm's will do: npm's ranges, as in `^1.2 || >=3 <4`, or a tag.

use semver::{BuildMetadata, Prerelease, Version};

/// Of one range.
const MAX_ALTERNATIVES: usize = 16;
/// Of one alternative.
const MAX_COMPARATORS: usize = 16;
/// Bytes of a tag, such as `latest`.
const MAX_TAG_BYTES: usize = 40;

/// A bound of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    AtLeast(Version),
    Above(Version),
    AtMost(Version),
    Below(Version),
}

/// Versions that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// All bounds of one of these must hold.
    Versions(Alternatives),
    /// A name that the registry has for a version.
    Tag,
}

/// Of a [`Range`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternatives(Vec<Vec<Bound>>);

impl Range {
    /// Reads a range or a tag.
    pub fn parse(text: &str) -> Result<Range, &'static str> {
        let text = text.trim();
        let tag = text.len() <= MAX_TAG_BYTES
            && text.starts_with(|c: char| c.is_ascii_lowercase() && !matches!(c, 'v' | 'x'));
        if tag
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            return Ok(Range::Tag);
        }
        let alternatives: Option<Vec<Vec<Bound>>> = text.split("||").map(alternative).collect();
        let alternatives = alternatives
            .ok_or("has versions that are no range of npm's, such as ^1.2, 1.x or >=1 <3")?;
        match alternatives.len() > MAX_ALTERNATIVES {
            true => Err("has too many alternatives"),
            false => Ok(Range::Versions(Alternatives(alternatives))),
        }
    }

    /// Whether this version will do. Of a tag nobody but the registry knows.
    pub fn contains(&self, version: &Version) -> bool {
        match self {
            Range::Tag => false,
            Range::Versions(Alternatives(all)) => all.iter().any(|bounds| holds(bounds, version)),
        }
    }
}

fn holds(bounds: &[Bound], version: &Version) -> bool {
    let within = bounds.iter().all(|bound| match bound {
        Bound::AtLeast(own) => version >= own,
        Bound::Above(own) => version > own,
        Bound::AtMost(own) => version <= own,
        Bound::Below(own) => version < own,
    });
    // What comes before a release is meant only where a bound is of the same release, and has such a part itself.
    let meant = version.pre.is_empty()
        || bounds.iter().any(|bound| {
            let (Bound::AtLeast(own) | Bound::Above(own) | Bound::AtMost(own) | Bound::Below(own)) =
                bound;
            let same =
                (own.major, own.minor, own.patch) == (version.major, version.minor, version.patch);
            same && !own.pre.is_empty() && own.pre != lowest()
        });
    within && meant
}

/// Comparators with spaces between them, or `1.2 - 3`.
fn alternative(text: &str) -> Option<Vec<Bound>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [from, "-", to] = words[..] {
        let (from, to) = (Partial::parse(from)?, Partial::parse(to)?);
        return Some(vec![Bound::AtLeast(from.lowest()), to.upper()]);
    }
    let mut bounds = Vec::new();
    let mut words = words.into_iter();
    let mut count = 0;
    while let Some(word) = words.next() {
        let (sign, version) = split_sign(word);
        // `>= 1` has its version in the next word.
        let version = if version.is_empty() {
            words.next()?
        } else {
            version
        };
        count += 1;
        if count > MAX_COMPARATORS {
            return None;
        }
        bounds.extend(of_comparator(sign, &Partial::parse(version)?)?);
    }
    Some(bounds)
}

fn split_sign(word: &str) -> (&str, &str) {
    let length = word
        .bytes()
        .take_while(|byte| b"<>=~^".contains(byte))
        .count();
    word.split_at(length)
}

fn of_comparator(sign: &str, version: &Partial) -> Option<Vec<Bound>> {
    if version.major.is_none() {
        return ["", "=", ">=", "<=", "^", "~"]
            .contains(&sign)
            .then(Vec::new);
    }
    let lowest = version.lowest();
    let from = Bound::AtLeast(lowest.clone());
    Some(match sign {
        "" | "=" => vec![from, version.upper()],
        "^" => vec![from, Bound::Below(version.next_breaking()?)],
        "~" | "~>" => vec![from, Bound::Below(version.next()?)],
        ">=" => vec![from],
        "<=" => vec![version.upper()],
        "<" if version.is_whole() => vec![Bound::Below(lowest)],
        "<" => vec![Bound::Below(early(lowest))],
        ">" if version.is_whole() => vec![Bound::Above(lowest)],
        ">" => vec![Bound::AtLeast(released(version.next()?))],
        _ => return None,
    })
}

/// A version that may end early, or in `x`.
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
}

impl Partial {
    fn parse(text: &str) -> Option<Partial> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = text.split_once('+').unwrap_or((text, ""));
        BuildMetadata::new(build).ok()?;
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let parts: Option<Vec<Option<u64>>> = numbers.split('.').map(number).collect();
        let parts = parts?;
        let get = |index: usize| parts.get(index).copied().flatten();
        let partial = Partial {
            major: get(0),
            minor: get(0).and(get(1)),
            patch: get(0).and(get(1)).and(get(2)),
            pre: Prerelease::new(pre).ok()?,
        };
        let sound = parts.len() <= 3
            && (partial.pre.is_empty() || partial.is_whole())
            && !text.ends_with('-');
        sound.then_some(partial)
    }

    fn is_whole(&self) -> bool {
        self.patch.is_some()
    }

    fn lowest(&self) -> Version {
        let number = |part: Option<u64>| part.unwrap_or(0);
        Version {
            pre: self.pre.clone(),
            ..Version::new(number(self.major), number(self.minor), number(self.patch))
        }
    }

    /// The highest that it stands for.
    fn upper(&self) -> Bound {
        match self.is_whole() {
            true => Bound::AtMost(self.lowest()),
            // Where no number is higher, every version will do.
            false => self
                .next()
                .map_or(Bound::AtLeast(self.lowest()), Bound::Below),
        }
    }

    /// The first version that it does not stand for, of those that end early.
    fn next(&self) -> Option<Version> {
        match (self.major, self.minor) {
            (Some(major), Some(minor)) => {
                Some(early(Version::new(major, minor.checked_add(1)?, 0)))
            }
            (Some(major), None) => Some(early(Version::new(major.checked_add(1)?, 0, 0))),
            _ => None,
        }
    }

    /// `^`: the first number that is not zero stays.
    fn next_breaking(&self) -> Option<Version> {
        let major = self.major?;
        let next = match (major, self.minor, self.patch) {
            (0, Some(0), Some(patch)) => Version::new(0, 0, patch.checked_add(1)?),
            (0, Some(minor), _) => Version::new(0, minor.checked_add(1)?, 0),
            _ => Version::new(major.checked_add(1)?, 0, 0),
        };
        Some(early(next))
    }
}

/// `None`: no number. `Some(None)`: any.
fn number(text: &str) -> Option<Option<u64>> {
    if ["x", "X", "*"].contains(&text) {
        return Some(None);
    }
    let digits =
        !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())
}

fn lowest() -> Prerelease {
    Prerelease::new("0").unwrap_or(Prerelease::EMPTY)
}

/// Before everything that is of this release.
fn early(version: Version) -> Version {
    Version {
        pre: lowest(),
        ..version
    }
}

fn released(version: Version) -> Version {
    Version {
        pre: Prerelease::EMPTY,
        ..version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_are_in_or_out_as_npm_says() {
        for (range, inside, outside) in [
            ("*", "9.9.9", "1.0.0-a"),
            ("", "9.9.9", "1.0.0-a"),
            ("1.2.3", "1.2.3", "1.2.4"),
            ("=1.2.3", "1.2.3", "1.2.2"),
            ("v1.2", "1.2.9", "1.3.0"),
            ("1.x", "1.9.0", "2.0.0"),
            ("1.2.*", "1.2.0", "1.3.0"),
            ("^1.2.3", "1.9.0", "2.0.0"),
            ("^1.2.3", "1.2.3", "2.0.0-0"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0.0", "0.0.9", "0.1.0"),
            ("^0", "0.9.0", "1.0.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("~1", "1.9.0", "2.0.0"),
            ("~> 1.2", "1.2.9", "1.3.0"),
            (">=1 <3", "2.9.0", "3.0.0"),
            (">= 1.2 < 2", "1.2.0", "2.0.0"),
            (">1.2", "1.3.0", "1.2.9"),
            ("<=1.2", "1.2.9", "1.3.0"),
            ("1.2 - 2.3", "2.3.9", "2.4.0"),
            ("1.2.3 - 2.3.4", "2.3.4", "2.3.5"),
            ("^1 || ^3", "3.1.0", "2.0.0"),
            ("^1.2.3-beta.2", "1.2.3-beta.3", "1.2.4-beta.3"),
            (">=1.0.0-rc.1", "1.0.0-rc.2", "1.0.0-beta"),
        ] {
            let parsed = Range::parse(range).unwrap();
            assert!(
                parsed.contains(&Version::parse(inside).unwrap()),
                "{range} {inside}"
            );
            assert!(
                !parsed.contains(&Version::parse(outside).unwrap()),
                "{range} {outside}"
            );
        }
        assert_eq!(Range::parse("latest"), Ok(Range::Tag));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "1.2.3.4", "1.2.3-", "1..2", "^", ">", "=>1", "1 - ", "a b", "a/b", "file:x",
            "npm:a@1", "git+x", "1,2", "1-a", "1.2.3 -x", "Latest", "../x",
        ] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[ -~]{0,40}", major: u64, minor: u64) {
            if let Ok(range) = Range::parse(&text) {
                range.contains(&Version::new(major, minor, 0));
            }
        }

        #[test]
        fn a_version_is_in_the_ranges_that_begin_with_it(major in 0u64..9, minor in 0u64..9, patch in 0u64..9) {
            let version = Version::new(major, minor, patch);
            for sign in ["", "^", "~", ">=", "<=", "="] {
                let range = Range::parse(&format!("{sign}{version}")).unwrap();
                prop_assert!(range.contains(&version));
            }
        }
    }
}
