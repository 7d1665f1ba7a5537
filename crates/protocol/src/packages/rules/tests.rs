use super::*;

fn rules(text: &str) -> PackageRules {
    toml::from_str(text).unwrap()
}

fn asked(registry: Registry, all: &[&str]) -> RequiredPackages {
    RequiredPackages::parse(registry, all).unwrap()
}

const LISTED: &str =
    "python = ['pandas>=2,<4', 'Requests', 'ruamel.yaml']\nnode = ['lodash@^4', '@types/node']";

#[test]
fn names_are_judged_before_anything_is_fetched() {
    use Registry::{Npm, Pypi};
    for (text, registry, packages, refused) in [
        ("", Pypi, &["pandas"][..], Some("may not be asked for")),
        ("", Npm, &["lodash"], Some("may not be asked for")),
        ("", Pypi, &[], None),
        ("python = 'any'", Pypi, &["anything"], None),
        (
            "python = 'any'",
            Npm,
            &["anything"],
            Some("may not be asked for"),
        ),
        ("node = 'any'", Npm, &["@any/thing"], None),
        (LISTED, Pypi, &["pandas==3.0", "requests"], None),
        (LISTED, Pypi, &["ruamel_yaml", "Pandas[excel]"], None),
        (
            LISTED,
            Pypi,
            &["pandas", "nump"],
            Some("nump is not in the list"),
        ),
        (LISTED, Npm, &["lodash", "@types/node@20"], None),
        (LISTED, Npm, &["@types/react"], Some("@types/react is not")),
        ("python = []", Pypi, &["pandas"], Some("not in the list")),
    ] {
        let result = rules(text).check_asked(&asked(registry, packages));
        let error = result.err().map(|error| error.to_string());
        match refused {
            None => assert_eq!(error, None, "{text} {packages:?}"),
            Some(why) => assert!(
                error.as_deref().is_some_and(|error| error.contains(why)),
                "{text} {packages:?}: {error:?}"
            ),
        }
    }
}

#[test]
fn versions_are_judged_after_it_was_resolved() {
    use Registry::{Npm, Pypi};
    for (text, registry, resolved, refused) in [
        (
            LISTED,
            Pypi,
            &[("pandas", "3.0"), ("numpy", "2.5.5")][..],
            None,
        ),
        (
            LISTED,
            Pypi,
            &[("pandas", "4.1")],
            Some("pandas was resolved to 4.1, and may be had here as pandas>=2,<4"),
        ),
        (LISTED, Pypi, &[("pandas", "nonsense")], Some("nonsense")),
        (LISTED, Pypi, &[("requests", "1")], None),
        (
            LISTED,
            Npm,
            &[("lodash", "4.17.21"), ("left-pad", "1.0.0")],
            None,
        ),
        (LISTED, Npm, &[("lodash", "3.0.0")], Some("lodash@^4")),
        (LISTED, Npm, &[("@types/node", "20.0.0-beta")], None),
        ("python = 'any'", Pypi, &[("pandas", "nonsense")], None),
        (
            "max_packages = 1",
            Pypi,
            &[("a", "1"), ("b", "1")],
            Some("2 packages come"),
        ),
        ("python = ['a<2', 'a>=3']", Pypi, &[("a", "3.1")], None),
        (
            "python = ['a<2', 'a>=3']",
            Pypi,
            &[("a", "2.1")],
            Some("a<2"),
        ),
    ] {
        let result = rules(text).check_resolved(registry, resolved.iter().copied());
        let error = result.err().map(|error| error.to_string());
        match refused {
            None => assert_eq!(error, None, "{text} {resolved:?}"),
            Some(why) => assert!(
                error.as_deref().is_some_and(|error| error.contains(why)),
                "{text} {resolved:?}: {error:?}"
            ),
        }
    }
}

#[test]
fn rules_that_nobody_could_follow_are_refused() {
    for text in [
        "python = 'all'",
        "python = ['-r x']",
        "python = ['a[b]']",
        "python = [\"a; os_name == 'posix'\"]",
        "node = ['a@latest']",
        "node = ['a@git+x']",
        "ruby = 'any'",
        "python = 7",
    ] {
        assert!(toml::from_str::<PackageRules>(text).is_err(), "{text}");
    }
    for text in [
        "python_index = 'ftp://x'",
        "python_index = 'file:///x'",
        "npm_registry = 'https://'",
        "npm_registry = 'https://a b'",
        "max_packages = 0",
        "max_seconds = 1000000",
        "max_mib = 0",
    ] {
        assert!(rules(text).check().is_err(), "{text}");
    }
    rules("python_index = 'https://user:word@example.org/simple'")
        .check()
        .unwrap();
    PackageRules::default().check().unwrap();
}

#[test]
fn rules_are_written_as_they_are_read() {
    let own = rules(LISTED);
    assert_eq!(rules(&toml::to_string(&own).unwrap()), own);
    assert_eq!(own.python_constraints(), ["pandas>=2,<4"]);
}
