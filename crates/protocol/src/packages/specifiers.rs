//! Which versions of a Python package will do: PEP 440's specifiers, as in `>=2,<4`.

use super::version::Version;
use std::fmt;

/// Of one requirement; nobody writes more than five.
const MAX_CLAUSES: usize = 16;

/// How a clause compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Compatible,
    Equal,
    NotEqual,
    AtMost,
    AtLeast,
    Below,
    Above,
}

/// In the order in which they are looked for: longer ones first.
const OPERATORS: [(&str, Operator); 7] = [
    ("~=", Operator::Compatible),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Below),
    (">", Operator::Above),
];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    version: Version,
    /// `==3.*`.
    is_prefix: bool,
}

/// Clauses that all must hold; none: every version will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specifiers(Vec<Clause>);

impl Specifiers {
    /// Reads clauses with commas between them.
    pub fn parse(text: &str) -> Result<Specifiers, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Specifiers::default());
        }
        let clauses: Result<Vec<Clause>, _> = text.split(',').map(Clause::parse).collect();
        let clauses = clauses?;
        match clauses.len() > MAX_CLAUSES {
            true => Err("has too many versions"),
            false => Ok(Specifiers(clauses)),
        }
    }

    /// Whether every version will do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this version will do.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().all(|clause| clause.holds(version))
    }
}

impl Clause {
    fn parse(text: &str) -> Result<Clause, &'static str> {
        let text = text.trim();
        if text.starts_with("===") {
            return Err("compares by '===', which is not taken");
        }
        let found = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
        let (operator, rest) =
            found.ok_or("has versions without '==', '>=', '<=', '!=', '~=', '<' or '>'")?;
        let (version, is_prefix) = match rest.trim().strip_suffix(".*") {
            Some(prefix) => (prefix, true),
            None => (rest.trim(), false),
        };
        let version =
            Version::parse(version).ok_or("has a version that is none of Python's (PEP 440)")?;
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        if is_prefix && (!equality || version.is_early() || version.is_post() || version.is_local())
        {
            return Err("has '.*' where it can have none");
        }
        if operator == Operator::Compatible && version.release.len() < 2 {
            return Err("has '~=' before a version of one number");
        }
        if !equality && version.is_local() {
            return Err("compares with a local version otherwise than by '=='");
        }
        Ok(Clause {
            operator,
            version,
            is_prefix,
        })
    }

    fn holds(&self, version: &Version) -> bool {
        let (own, public) = (&self.version, version.public());
        match self.operator {
            Operator::Equal => self.equals(version),
            Operator::NotEqual => !self.equals(version),
            Operator::AtLeast => public >= *own,
            Operator::AtMost => public <= *own,
            Operator::Compatible => {
                public >= *own && starts_with(version, own, own.release.len() - 1)
            }
            // Neither what comes before this version, nor what was made of it afterwards, is meant.
            Operator::Below => public < *own && !version.is_early_of(own),
            Operator::Above => public > *own && !version.is_post_of(own),
        }
    }

    fn equals(&self, version: &Version) -> bool {
        match (self.is_prefix, self.version.is_local()) {
            (true, _) => starts_with(version, &self.version, self.version.release.len()),
            (false, true) => *version == self.version,
            (false, false) => version.public() == self.version,
        }
    }
}

fn starts_with(version: &Version, prefix: &Version, length: usize) -> bool {
    let mut numbers = version.release.iter().chain(std::iter::repeat(&0));
    let same = prefix.release[..length]
        .iter()
        .all(|number| numbers.next() == Some(number));
    version.epoch == prefix.epoch && same
}

impl fmt::Display for Specifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clauses: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&clauses.join(","))
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS
            .iter()
            .find(|(_, operator)| *operator == self.operator);
        let sign = sign.map_or("", |(sign, _)| *sign);
        let end = if self.is_prefix { ".*" } else { "" };
        write!(f, "{sign}{}{end}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_or_out_as_pep_440_says() {
        for (specifiers, inside, outside) in [
            ("", "1.0", ""),
            ("==3.0", "3.0.0", "3.0.1"),
            ("==3.0", "3.0+local", "3.0.post1"),
            ("==3.*", "3.2.1", "4.0"),
            ("==3.0.*", "3", "3.1"),
            ("!=3.*", "2.9", "3.1"),
            ("~=2.2", "2.9", "3.0"),
            ("~=2.2.1", "2.2.9", "2.3"),
            (">=2,<4", "3.9", "4.0"),
            (">=3.13.2", "3.13.5", "3.13.1"),
            ("<4", "3.9", "4.0rc1"),
            ("<4rc2", "4.0rc1", "4.0rc2"),
            (">1.7", "1.7.1", "1.7.post1"),
            (">1.7", "1.8", "1.7+local"),
            ("<=1.7", "1.7+local", "1.7.post1"),
            ("<1.post1", "1.0b2", "1.post1.dev0"),
            ("<2", "1.9", "2.0a1.post0"),
            (">1.dev2", "1.post2", "1.dev1"),
            ("==1.0+a", "1.0+a", "1.0+b"),
        ] {
            let all = Specifiers::parse(specifiers).unwrap();
            assert!(
                all.contains(&Version::parse(inside).unwrap()),
                "{specifiers} {inside}"
            );
            if let Some(outside) = Version::parse(outside) {
                assert!(!all.contains(&outside), "{specifiers} {outside}");
            }
        }
    }

    #[test]
    fn what_is_no_specifier_is_refused() {
        for text in [
            "3.0",
            "=3.0",
            "===3.0",
            "==",
            ">=3.*",
            "~=3",
            "==1.0a1.*",
            ">=1+x",
            "==1,",
            "==1;x",
            "==1 or ==2",
            "==1\n==2",
        ] {
            assert!(Specifiers::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_text_is_one_whatever_the_spaces() {
        let text = Specifiers::parse(" >= 2.0 , < 4 ,!=3.1.* ")
            .unwrap()
            .to_string();
        assert_eq!(text, ">=2.0,<4,!=3.1.*");
    }
}
