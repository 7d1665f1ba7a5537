//! When a requirement counts: PEP 508's markers, as in `python_version < "3.14"`. Read only to see that nothing else is
//! in them; whoever resolves decides whether they hold.

use std::fmt;

/// Parentheses in parentheses.
const MAX_DEPTH: usize = 8;
/// What may be asked of the guest. Not `extra`, which a program has none of, nor the kernel's version and release.
const VARIABLES: [&str; 8] = [
    "implementation_name",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_system",
    "python_full_version",
    "python_version",
    "sys_platform",
];
const OPERATORS: [&str; 7] = ["<=", ">=", "==", "!=", "~=", "<", ">"];

/// A marker that is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(Vec<String>);

impl Marker {
    /// Reads a marker, without the `;` before it.
    pub fn parse(text: &str) -> Result<Marker, &'static str> {
        let words = words(text)?;
        let mut reader = Reader {
            words: &words,
            depth: 0,
        };
        reader.any_of()?;
        match reader.words {
            [] => Ok(Marker(words)),
            _ => Err(WRONG),
        }
    }
}

/// With one space between its words.
impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

const WRONG: &str =
    "has a marker that cannot be read; known are python_version, sys_platform and the like";

fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '"' | '\'' => quoted(rest, first).ok_or(WRONG)?,
            'a'..='z' => rest
                .bytes()
                .take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_')
                .count(),
            _ => OPERATORS
                .iter()
                .find(|sign| rest.starts_with(**sign))
                .map(|sign| sign.len())
                .ok_or(WRONG)?,
        };
        let (word, after) = rest.split_at(length);
        // One kind of quotes, so that equal markers are equal.
        words.push(word.replace('\'', "\""));
        rest = after.trim_start();
    }
    Ok(words)
}

/// How long a text in quotes is. Nothing in it can end it, or begin a comment or a variable of a requirements file.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let end = text[1..].find(quote)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+- ".contains(&byte);
    text[1..=end].bytes().all(plain).then_some(end + 2)
}

struct Reader<'a> {
    words: &'a [String],
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        match self.words {
            [first, rest @ ..] if first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn any_of(&mut self) -> Result<(), &'static str> {
        self.all_of()?;
        while self.take("or") {
            self.all_of()?;
        }
        Ok(())
    }

    fn all_of(&mut self) -> Result<(), &'static str> {
        self.one()?;
        while self.take("and") {
            self.one()?;
        }
        Ok(())
    }

    fn one(&mut self) -> Result<(), &'static str> {
        if !self.take("(") {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(WRONG);
        }
        self.any_of()?;
        self.depth -= 1;
        match self.take(")") {
            true => Ok(()),
            false => Err(WRONG),
        }
    }

    fn comparison(&mut self) -> Result<(), &'static str> {
        let (left, operator, right, rest) = match self.words {
            [left, not, within, right, rest @ ..] if not == "not" && within == "in" => {
                (left, "in", right, rest)
            }
            [left, operator, right, rest @ ..] => (left, operator.as_str(), right, rest),
            _ => return Err(WRONG),
        };
        let is_operator = operator == "in" || OPERATORS.contains(&operator);
        let is_variable = |word: &str| VARIABLES.contains(&word);
        // A text beside a variable: two of one kind compare nothing.
        let sides = (
            is_variable(left),
            is_variable(right),
            left.starts_with('"'),
            right.starts_with('"'),
        );
        if !is_operator || !matches!(sides, (true, _, _, true) | (_, true, true, _)) {
            return Err(WRONG);
        }
        self.words = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markers_that_ask_for_the_guest_are_read() {
        for (text, form) in [
            ("python_version < '3.14'", "python_version < \"3.14\""),
            (
                "python_version>='3.9'and sys_platform!=\"win32\"",
                "python_version >= \"3.9\" and sys_platform != \"win32\"",
            ),
            (
                "( 'linux' in sys_platform or os_name == 'posix' ) and platform_system not in 'Darwin Windows'",
                "( \"linux\" in sys_platform or os_name == \"posix\" ) and platform_system not in \"Darwin Windows\"",
            ),
        ] {
            assert_eq!(Marker::parse(text).unwrap().to_string(), form, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = "(".repeat(100);
        for text in [
            "",
            "extra == 'x'",
            "python_version",
            "python_version < 3",
            "'a' == 'b'",
            "os_name == sys_platform",
            "os_name == 'a' or",
            "(os_name == 'a'",
            "os_name == 'a')",
            "os_name == 'a # b'",
            "os_name == '${HOME}'",
            "os_name == 'a",
            "os_name === 'a'",
            "platform_release == 'x'",
            "os_name not 'a'",
            "OS == 'a'",
            "os_name == 'a' b",
            &deep,
        ] {
            assert!(Marker::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_has_no_character_of_a_requirements_file(text in "[ -~]{0,60}|(python_version|os_name) (<|==) '[ -~]{0,6}'") {
            if let Ok(marker) = Marker::parse(&text) {
                let form = marker.to_string();
                prop_assert!(!form.contains(['#', '$', '\\', '\n', ';', ',', '@']));
                prop_assert_eq!(Marker::parse(&form).unwrap(), marker);
            }
        }
    }
}
