//! The tables `behaviours.toml` of `tests/clients`: each test case of E2B's own suites with the test of ours that shows the
//! same. A test that is named and did not pass is a failure: a table that nobody reads again goes stale.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One of E2B's cases.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Shown {
    /// By this test of ours.
    By(String),
    /// By none.
    Not(Reason),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    why: String,
}

/// The cases of each file of a suite.
type Suite = BTreeMap<String, BTreeMap<String, Shown>>;

/// Which of a table's suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Python's.
    Python,
    /// JavaScript's.
    JavaScript,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    python: Suite,
    #[serde(default)]
    javascript: Suite,
}

impl Table {
    fn read(folder: &Path) -> Table {
        let path = folder.join("behaviours.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn suite(&self, of: Of) -> &Suite {
        match of {
            Of::Python => &self.python,
            Of::JavaScript => &self.javascript,
        }
    }
}

/// The tests that passed, in what pytest (`-rp`) or a client of ours said.
fn passed(said: &str) -> BTreeSet<&str> {
    let names = said.lines().filter_map(|line| {
        if let Some(check) = line.strip_prefix("ok: ") {
            return Some(check);
        }
        // `PASSED ../tests/clients/e2b/test_files.py::test_name[of a parameter]`
        let path = line.strip_prefix("PASSED ")?;
        let path = path.split('[').next()?;
        Some(path.rsplit('/').next().unwrap_or(path))
    });
    names.collect()
}

/// Fails where a test that the folder's table names is not among those that passed; how many of E2B's cases are shown.
pub fn check(folder: &Path, of: Of, said: &str) -> String {
    let table = Table::read(folder);
    let passed = passed(said);
    let cases = || table.suite(of).values().flat_map(BTreeMap::values);
    let named = || {
        cases().filter_map(|case| match case {
            Shown::By(test) => Some(test.as_str()),
            Shown::Not(_) => None,
        })
    };
    let missing: BTreeSet<&str> = named().filter(|test| !passed.contains(test)).collect();
    let folder = folder.display();
    assert!(
        missing.is_empty(),
        "{folder}/behaviours.toml names tests that did not pass: {missing:#?}\n{said}"
    );
    let unreasoned = cases().any(|case| matches!(case, Shown::Not(not) if not.why.is_empty()));
    assert!(!unreasoned, "a case in {folder} is left out without why");
    format!(
        "{} of E2B's {} cases are shown",
        named().count(),
        cases().count()
    )
}

#[test]
fn what_passed_is_read_of_what_both_say() {
    let said = "ok: a command prints\nskipped: this version cannot: another\nFAILED: a third\n\
        PASSED ../x/e2b/test_files.py::test_a[b/c[d]-e]\nSKIPPED [1] x/test_files.py:7: no\nPASSED test_git.py::test_b\n";
    let expected = [
        "a command prints",
        "test_files.py::test_a",
        "test_git.py::test_b",
    ];
    assert_eq!(passed(said), BTreeSet::from(expected));
}

#[test]
#[should_panic(expected = "names tests that did not pass")]
fn a_test_that_is_named_and_was_not_run_is_a_failure() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/e2b");
    check(&folder, Of::JavaScript, "ok: a command prints\n");
}
