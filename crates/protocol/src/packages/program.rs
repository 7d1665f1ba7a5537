//! All that a program asks for, wherever it says so: by name beside it, in its own header, in a file that comes with it.

use super::error::PackageError;
use super::rules::PackageRules;
use super::version::Version;
use super::{Registry, RequiredPackages, package_json, script};
use crate::error_code::ErrorCode;
use crate::language::{Language, registry};
use crate::validate::Rejection;

/// The file that asks for a Node program's packages, where it comes with it.
pub const PACKAGE_JSON: &str = "package.json";

/// A program, as far as it says which packages it needs.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Its language.
    pub language: Language,
    /// Its text.
    pub code: &'a str,
    /// [`PACKAGE_JSON`], where it is there.
    pub package_json: Option<&'a [u8]>,
    /// What is asked for by name.
    pub named: &'a [String],
    /// Which Python its image has.
    pub python_version: &'a str,
}

/// Where a program itself says what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaration {
    /// The header of a Python program (PEP 723).
    Script,
    /// The file beside a Node program.
    PackageJson,
}

impl Declaration {
    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Declaration::Script => "'# /// script' block",
            Declaration::PackageJson => PACKAGE_JSON,
        }
    }

    /// The request's field that it is in.
    fn field(self) -> &'static str {
        match self {
            Declaration::Script => "code",
            Declaration::PackageJson => "files",
        }
    }
}

/// What a program needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// All of it; `None`: what is in its image will do.
    pub packages: Option<RequiredPackages>,
    /// What asks for packages and has no effect, for programs may ask for none here.
    pub ignored: Option<Declaration>,
}

impl Program<'_> {
    /// Reads what the program needs. What it says itself counts only where the rules let programs have packages; what is
    /// asked for by name is judged when it is resolved.
    pub fn needs(&self, rules: &PackageRules) -> Result<Needs, Rejection> {
        let Some(registry) = registry(self.language) else {
            return self.needs_none();
        };
        let named = RequiredPackages::parse(registry, self.named);
        let named = named.map_err(|error| refused("packages", &error))?;
        let declaration = match registry {
            Registry::Pypi => Declaration::Script,
            Registry::Npm => Declaration::PackageJson,
        };
        if !rules.are_on(registry) {
            let is_there = matches!(self.declared(declaration), Ok(all) if !all.is_empty());
            return Ok(Needs {
                packages: Some(named).filter(|all| !all.is_empty()),
                ignored: is_there.then_some(declaration),
            });
        }
        let all = self.declared(declaration).and_then(|declared| {
            rules.check_asked(&declared)?;
            declared.and(named)
        });
        let all = all.map_err(|error| refused(declaration.field(), &error))?;
        Ok(Needs {
            packages: Some(all).filter(|all| !all.is_empty()),
            ignored: None,
        })
    }

    fn needs_none(&self) -> Result<Needs, Rejection> {
        if self.named.is_empty() {
            return Ok(Needs::default());
        }
        let text = format!("programs in {} have no packages to ask for", self.language);
        Err(Rejection::new(ErrorCode::PackagesRefused, "packages", text))
    }

    fn declared(&self, declaration: Declaration) -> Result<RequiredPackages, PackageError> {
        match declaration {
            Declaration::Script => {
                let Some(header) = script::read(self.code)? else {
                    return RequiredPackages::python(Vec::new());
                };
                if let Some(version) = Version::parse(self.python_version) {
                    header.check_python(&version)?;
                }
                Ok(header.packages)
            }
            Declaration::PackageJson => match self.package_json {
                Some(bytes) => package_json::read(bytes),
                None => RequiredPackages::node(Vec::new()),
            },
        }
    }
}

/// Characters of a refusal, whose end may quote what was sent.
const MAX_SHOWN: usize = 500;

/// A refusal of what is asked for, on one line.
pub fn refused(field: &'static str, error: &PackageError) -> Rejection {
    let text = match error {
        // On one line: what it says besides is the client's own text.
        PackageError::Script { source } => format!("{error}: {}", source.message()),
        error => error.to_string(),
    };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().take(MAX_SHOWN).map(plain).collect();
    Rejection::new(ErrorCode::PackagesRefused, field, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::named;
    use crate::packages::rules::Allowed;

    const HEADER: &str = "# /// script\n# dependencies = [\"six\"]\n# ///\nimport six\n";

    fn program<'a>(language: &str, code: &'a str, named_packages: &'a [String]) -> Program<'a> {
        Program {
            language: named(language),
            code,
            package_json: None,
            named: named_packages,
            python_version: "3.13.5",
        }
    }

    fn any() -> PackageRules {
        PackageRules {
            python: Allowed::Any,
            node: Allowed::Any,
            ..PackageRules::default()
        }
    }

    fn lines(needs: Needs) -> Vec<String> {
        needs.packages.map(|all| all.lines()).unwrap_or_default()
    }

    #[test]
    fn all_that_a_program_asks_for_counts_wherever_it_says_so() {
        let asked = ["requests<3".to_owned()];
        let needs = program("python", HEADER, &asked).needs(&any()).unwrap();
        assert_eq!(lines(needs), ["requests<3", "six"]);
        let node = Program {
            package_json: Some(br#"{"dependencies": {"lodash": "4"}}"#),
            ..program("typescript", HEADER, &[])
        };
        assert_eq!(lines(node.needs(&any()).unwrap()), ["lodash@4"]);
        for plain in ["print(1)", "# /// script\n# ///\n"] {
            assert_eq!(
                program("python", plain, &[]).needs(&any()).unwrap(),
                Needs::default()
            );
        }
    }

    #[test]
    fn what_a_program_says_itself_has_no_effect_where_packages_are_off() {
        let off = PackageRules::default();
        let needs = program("python", HEADER, &[]).needs(&off).unwrap();
        assert_eq!(
            (needs.packages, needs.ignored),
            (None, Some(Declaration::Script))
        );
        let broken = "# /// script\n# dependencies = 3\n# ///\n";
        let other = "# /// script\n# requires-python = \"<3\"\n# ///\n";
        for code in [broken, other] {
            assert_eq!(
                program("python", code, &[]).needs(&off).unwrap(),
                Needs::default()
            );
        }
        // What is asked for by name is judged by whoever resolves.
        let asked = ["six".to_owned()];
        let needs = program("python", "", &asked).needs(&off).unwrap();
        assert_eq!(lines(needs), ["six"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_where_it_stands() {
        let listed: PackageRules = toml::from_str("python = [\"six\"]").unwrap();
        let not_listed = HEADER.replace("six\"", "attrs\"");
        let url = ["six @ https://host/x.whl".to_owned()];
        let six = ["six".to_owned()];
        for (program, rules, field, words) in [
            (program("bash", ":", &six), any(), "packages", "bash"),
            (program("python", "", &url), any(), "packages", "six @"),
            (
                program("python", "# /// script\n# dependencies = 3\n# ///\n", &[]),
                any(),
                "code",
                "cannot be read: invalid type",
            ),
            (
                program(
                    "python",
                    "# /// script\n# requires-python = \">=3.14\"\n# ///\n",
                    &[],
                ),
                any(),
                "code",
                "requires Python >=3.14, and the image has 3.13.5",
            ),
            (
                program("python", &not_listed, &[]),
                listed,
                "code",
                "attrs is not in the list",
            ),
            (
                Program {
                    package_json: Some(b"{"),
                    ..program("node", "", &[])
                },
                any(),
                "files",
                "package.json cannot be read",
            ),
        ] {
            let rejection = program.needs(&rules).unwrap_err();
            assert_eq!(rejection.code, ErrorCode::PackagesRefused);
            assert_eq!(rejection.field, field, "{rejection}");
            assert!(rejection.message.contains(words), "{rejection}");
            assert!(!rejection.message.contains('\n'), "{rejection}");
        }
        let long = format!(
            "# /// script\n# dependencies = \"{}\"\n# ///\n",
            "x".repeat(9000)
        );
        let rejection = program("python", &long, &[]).needs(&any()).unwrap_err();
        assert!(
            rejection.message.len() <= MAX_SHOWN,
            "{}",
            rejection.message.len()
        );
    }
}
