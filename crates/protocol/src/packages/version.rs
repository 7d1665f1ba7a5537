//! A version of a Python package: PEP 440, with its order.

use std::cmp::Ordering;
use std::fmt;

/// Numbers of a release, as `3.13.5` has three; calendar versions have at most five.
const MAX_NUMBERS: usize = 16;

/// What comes before a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// `a`.
    Alpha,
    /// `b`.
    Beta,
    /// `rc`.
    Candidate,
}

/// A part of a local version. Texts come before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Text(String),
    Number(u64),
}

/// A version. Versions that differ in zeros at their end are equal, as PEP 440 has it.
#[derive(Debug, Clone)]
pub struct Version {
    pub(super) epoch: u64,
    pub(super) release: Vec<u64>,
    pre: Option<(Stage, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<Local>,
}

impl Version {
    /// Reads a version in any of the spellings that PEP 440 takes.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().to_ascii_lowercase();
        let (public, local) = match text.split_once('+') {
            Some((public, local)) => (public, locals(local)?),
            None => (text.as_str(), Vec::new()),
        };
        let mut rest = Rest(public.strip_prefix('v').unwrap_or(public));
        let first = rest.number()?;
        let (epoch, first) = match rest.take("!") {
            true => (first, rest.number()?),
            false => (0, first),
        };
        let mut release = vec![first];
        while let Some(number) = rest.dotted_number() {
            if release.len() == MAX_NUMBERS {
                return None;
            }
            release.push(number?);
        }
        let pre = rest.suffix(&PRE)?;
        let post = match rest.implicit_post()? {
            Some(number) => Some(number),
            None => rest.suffix(&POST)?.map(|(_, number)| number),
        };
        let dev = rest.suffix(&DEV)?.map(|(_, number)| number);
        rest.0.is_empty().then_some(Version {
            epoch,
            release,
            pre,
            post,
            dev,
            local,
        })
    }

    /// Whether it comes before a release.
    pub fn is_early(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    pub(super) fn is_post(&self) -> bool {
        self.post.is_some()
    }

    pub(super) fn is_local(&self) -> bool {
        !self.local.is_empty()
    }

    /// Without what a builder added.
    pub(super) fn public(&self) -> Version {
        Version {
            local: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether it comes before that version as a stage of it: `4.0rc1` of `4.0`.
    pub(super) fn is_early_of(&self, other: &Version) -> bool {
        let same = self.same_release(other) && (other.post.is_none() || self.post == other.post);
        same && self.is_early() && !other.is_early()
    }

    /// Whether it was made of that version afterwards: `4.0.post1` of `4.0`.
    pub(super) fn is_post_of(&self, other: &Version) -> bool {
        let same = self.same_release(other) && self.pre == other.pre;
        same && self.is_post() && !other.is_post() && other.dev.is_none()
    }

    fn same_release(&self, other: &Version) -> bool {
        (self.epoch, self.numbers()) == (other.epoch, other.numbers())
    }

    /// Without zeros at its end.
    fn numbers(&self) -> &[u64] {
        let length = self.release.iter().rposition(|number| *number != 0);
        &self.release[..length.map_or(0, |last| last + 1)]
    }

    /// A development release without a stage comes first of all, a release after its stages.
    fn pre_key(&self) -> (u8, Option<(Stage, u64)>) {
        match (self.pre, self.post, self.dev) {
            (None, None, Some(_)) => (0, None),
            (Some(pre), _, _) => (1, Some(pre)),
            (None, _, _) => (2, None),
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        let key = |version: &Version| {
            (
                version.pre_key(),
                version.post,
                version.dev.is_none(),
                version.dev,
            )
        };
        (self.epoch, self.numbers())
            .cmp(&(other.epoch, other.numbers()))
            .then_with(|| key(self).cmp(&key(other)))
            .then_with(|| self.local.cmp(&other.local))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// As PEP 440 would have everybody write it.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(f, "{}!", self.epoch)?;
        }
        let numbers: Vec<String> = self.release.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))?;
        if let Some((stage, number)) = self.pre {
            let stage = match stage {
                Stage::Alpha => "a",
                Stage::Beta => "b",
                Stage::Candidate => "rc",
            };
            write!(f, "{stage}{number}")?;
        }
        if let Some(number) = self.post {
            write!(f, ".post{number}")?;
        }
        if let Some(number) = self.dev {
            write!(f, ".dev{number}")?;
        }
        for (index, part) in self.local.iter().enumerate() {
            let before = if index == 0 { '+' } else { '.' };
            match part {
                Local::Text(text) => write!(f, "{before}{text}")?,
                Local::Number(number) => write!(f, "{before}{number}")?,
            }
        }
        Ok(())
    }
}

/// Words of a suffix, longer ones before those that they begin with.
const PRE: [(&str, Stage); 8] = [
    ("alpha", Stage::Alpha),
    ("beta", Stage::Beta),
    ("preview", Stage::Candidate),
    ("pre", Stage::Candidate),
    ("rc", Stage::Candidate),
    ("a", Stage::Alpha),
    ("b", Stage::Beta),
    ("c", Stage::Candidate),
];
const POST: [(&str, ()); 3] = [("post", ()), ("rev", ()), ("r", ())];
const DEV: [(&str, ()); 1] = [("dev", ())];

/// What is left to read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn take(&mut self, word: &str) -> bool {
        let rest = self.0.strip_prefix(word);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn skip_separator(&mut self) {
        self.0 = self.0.strip_prefix(['.', '-', '_']).unwrap_or(self.0);
    }

    /// `None`: there is none, or one that is too large.
    fn number(&mut self) -> Option<u64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        number.parse().ok()
    }

    /// The next number of a release, if one comes.
    fn dotted_number(&mut self) -> Option<Option<u64>> {
        let rest = self.0.strip_prefix('.')?;
        rest.starts_with(|first: char| first.is_ascii_digit())
            .then(|| {
                self.0 = rest;
                self.number()
            })
    }

    /// `1.0-1`.
    fn implicit_post(&mut self) -> Option<Option<u64>> {
        let rest = self.0.strip_prefix('-');
        match rest.filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
            Some(rest) => {
                self.0 = rest;
                self.number().map(Some)
            }
            None => Some(None),
        }
    }

    /// One of these words and its number, which is 0 where none is given.
    fn suffix<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<Option<(T, u64)>> {
        let mut ahead = Rest(self.0);
        ahead.skip_separator();
        let Some((_, value)) = words.iter().find(|(word, _)| ahead.take(word)) else {
            return Some(None);
        };
        self.0 = ahead.0;
        ahead.skip_separator();
        if !ahead.0.starts_with(|first: char| first.is_ascii_digit()) {
            return Some(Some((*value, 0)));
        }
        let number = ahead.number()?;
        self.0 = ahead.0;
        Some(Some((*value, number)))
    }
}

fn locals(text: &str) -> Option<Vec<Local>> {
    let part = |part: &str| {
        let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        match (plain, is_number) {
            (false, _) => None,
            (true, true) => part.parse().ok().map(Local::Number),
            (true, false) => Some(Local::Text(part.to_owned())),
        }
    };
    text.split(['.', '-', '_']).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_are_in_the_order_of_pep_440() {
        let ordered = [
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.0.15",
            "1.1.dev1",
            "1!0.1",
        ];
        let versions: Vec<Version> = ordered
            .iter()
            .map(|text| Version::parse(text).unwrap())
            .collect();
        assert!(versions.is_sorted());
        for pair in versions
            .windows(2)
            .filter(|pair| pair[0].to_string() != "1.dev0")
        {
            assert!(pair[0] < pair[1], "{} {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn every_spelling_has_one_form() {
        for (text, form) in [
            ("v1.0", "1.0"),
            ("1.0-ALPHA.1", "1.0a1"),
            ("1.0c2", "1.0rc2"),
            ("1.0preview", "1.0rc0"),
            ("1.0-1", "1.0.post1"),
            ("1.0rev3", "1.0.post3"),
            ("1.0_r3", "1.0.post3"),
            ("1.0dev", "1.0.dev0"),
            ("2!01.02", "2!1.2"),
            ("1.0+Ubuntu-1", "1.0+ubuntu.1"),
        ] {
            assert_eq!(Version::parse(text).unwrap().to_string(), form, "{text}");
        }
        assert_eq!(Version::parse("1"), Version::parse("1.0.0"));
    }

    #[test]
    fn what_is_no_version_is_none() {
        let many = "1.".repeat(40) + "1";
        for text in [
            "",
            "a",
            "1..2",
            "1.",
            "1.0.x",
            "1.0+",
            "1.0+a..b",
            "1.0 2",
            "1;2",
            "-1",
            "1!",
            "99999999999999999999",
            &many,
        ] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_form_of_a_version_reads_as_itself(text in "[0-9]{1,3}(\\.[0-9]{1,3}){0,3}((a|b|rc)[0-9]{1,2})?(\\.post[0-9])?(\\.dev[0-9])?(\\+[a-z0-9]{1,4})?") {
            let version = Version::parse(&text).unwrap();
            let form = version.to_string();
            prop_assert_eq!(Version::parse(&form).unwrap().to_string(), form);
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            let _ = Version::parse(&text);
        }
    }
}
