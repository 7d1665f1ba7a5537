//! Against the registries that the environment names, or the public ones; `not run: …` where they cannot be reached or
//! no sandbox can be made (with `LLM_FIRECRACKER_REQUIRE=1`: fail).

use super::*;
use crate::child::Tool;
use crate::confine;
use crate::download::{Downloads, Fetch};
use protocol::packages::PackageError;
use protocol::packages::rules::Allowed;
use std::time::Duration;

mod elsewhere;

const ANY: PackageRules = PackageRules {
    python: Allowed::Any,
    node: Allowed::Any,
    python_index: None,
    npm_registry: None,
    max_packages: 200,
    max_mib: 1024,
    max_seconds: 120,
};

/// Kept between runs: the tools have some hundred MiB.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools")
}

/// Whether a test can be run. Says why not.
fn can_run(registry: Registry) -> bool {
    let what = match missing(registry) {
        None => return true,
        Some(what) => what,
    };
    let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some_and(|value| value == "1");
    assert!(!required, "not run: {what}");
    println!("not run: {what}");
    false
}

fn missing(registry: Registry) -> Option<String> {
    let url = match registry {
        Registry::Pypi => format!("{}/six/", pypi::index(None).trim_end_matches('/')),
        Registry::Npm => format!("{}/once", npm::registry(None).trim_end_matches('/')),
    };
    let fetch = Fetch {
        url: &url,
        accept: None,
        max_bytes: 16 << 20,
    };
    let soon = Downloads::until(Some(Instant::now() + Duration::from_secs(10)));
    if let Err(error) = soon.get(&fetch) {
        return Some(error.to_string());
    }
    let tool = Tool {
        name: confine::PROGRAM,
        doing: "trying a sandbox",
        deadline: Duration::from_secs(10),
    };
    let mut command = confine::command();
    command.args(["--ro-bind", "/", "/", "--", "/bin/true"]);
    tool.run(&mut command, |_| {})
        .err()
        .map(|error| error.to_string())
}

fn asked(registry: Registry, all: &[&str]) -> RequiredPackages {
    RequiredPackages::parse(registry, all).unwrap()
}

fn resolve(
    rules: &PackageRules,
    packages: &RequiredPackages,
    base: &[u8],
) -> Result<Resolved, ResolveError> {
    Resolver::new(&tools(), rules).resolve(packages, base)
}

fn version<'a>(resolved: &'a Resolved, name: &str) -> Option<&'a str> {
    let found = resolved.packages.iter().find(|one| one.name == name);
    found.map(|one| one.version.as_str())
}

#[test]
fn what_is_refused_needs_no_registry() {
    let nowhere = Path::new("/nonexistent");
    let off = PackageRules::default();
    let packages = asked(Registry::Pypi, &["requests"]);
    let error = Resolver::new(nowhere, &off)
        .resolve(&packages, b"")
        .unwrap_err();
    assert!(
        matches!(error, ResolveError::Refused(PackageError::Off { .. })) && error.is_of_request(),
        "{error}"
    );
    let wrong = PackageRules { max_mib: 0, ..ANY };
    let error = Resolver::new(nowhere, &wrong)
        .resolve(&packages, b"")
        .unwrap_err();
    assert!(!error.is_of_request(), "{error}");
}

#[test]
fn python_packages_are_resolved_to_one_set_and_unpacked() {
    if !can_run(Registry::Pypi) {
        return;
    }
    let packages = asked(
        Registry::Pypi,
        &[
            "pandas==3.0",
            "requests[socks]>=2",
            "six ; python_version < '3.10'",
        ],
    );
    let set = resolve(&ANY, &packages, b"").unwrap();
    assert_eq!(version(&set, "pandas"), Some("3.0.0"));
    assert_eq!(version(&set, "colorama"), None, "for other systems");
    for name in ["numpy", "pysocks", "requests", "urllib3"] {
        assert!(version(&set, name).is_some(), "{name}");
    }
    assert_eq!(
        resolve(&ANY, &packages, b"").unwrap(),
        set,
        "the same set again"
    );
    let only_small: String = String::from_utf8(set.lock.clone()).unwrap();
    assert!(only_small.contains("idna==") && only_small.contains("--hash=sha256:"));
    let small = resolve(&ANY, &asked(Registry::Pypi, &["requests"]), b"").unwrap();
    let tree = tempfile::tempdir().unwrap();
    let unpacked = small.unpack(&ANY, tree.path(), &|_| false).unwrap();
    assert_eq!(unpacked.len(), small.packages.len());
    let site = tree.path().join(crate::target::PythonFolder::Local.path());
    assert!(site.join("requests/__init__.py").is_file() && site.join("idna/core.py").is_file());
    let little = PackageRules { max_mib: 1, ..ANY };
    let tree = tempfile::tempdir().unwrap();
    let error = set.unpack(&little, tree.path(), &|_| false).unwrap_err();
    assert!(
        matches!(error, ResolveError::TooLarge { max_mib: 1, .. }) && error.is_of_request(),
        "{error}"
    );
}

/// Each has wheels of another kind: for any system, for every Python from one on, for this one.
#[test]
fn of_each_package_the_wheel_that_guests_can_use_is_chosen() {
    if !can_run(Registry::Pypi) {
        return;
    }
    let names = [
        "requests",
        "pydantic-core",
        "numpy",
        "cryptography",
        "orjson",
        "lxml",
        "pyyaml",
        "tzdata",
        "cffi",
    ];
    let set = resolve(&ANY, &asked(Registry::Pypi, &names), b"").unwrap();
    let index = pypi::index(None);
    for pinned in pypi::lock::parse(&set.lock).unwrap() {
        let file = pypi::file_name(&index, &pinned).unwrap();
        let fits = ["-cp313-cp313-manylinux", "-abi3-manylinux", "-none-any.whl"];
        assert!(fits.iter().any(|fit| file.contains(fit)), "{file}");
        assert!(
            file.ends_with("any.whl") || file.contains("x86_64"),
            "{file}"
        );
    }
}

#[test]
fn versions_of_the_image_below_are_kept_where_they_fit() {
    if !can_run(Registry::Pypi) {
        return;
    }
    let hash = "a".repeat(64);
    let base: String = ["idna==3.10", "urllib3==1.20", "certifi==2024.8.30"]
        .map(|one| format!("{one} --hash=sha256:{hash}\n"))
        .concat();
    let set = resolve(
        &ANY,
        &asked(Registry::Pypi, &["requests>=2.32", "urllib3>=2"]),
        base.as_bytes(),
    )
    .unwrap();
    assert_eq!(version(&set, "idna"), Some("3.10"));
    assert_eq!(version(&set, "certifi"), Some("2024.8.30"));
    assert_ne!(version(&set, "urllib3"), Some("1.20"));
    let replaced = set.replaced(base.as_bytes()).unwrap();
    assert_eq!(replaced.len(), 1);
    assert_eq!(replaced[0].0, "urllib3");
    let beyond = set.beyond(base.as_bytes()).unwrap();
    assert!(version(&beyond, "idna").is_none() && version(&beyond, "requests").is_some());
}

#[test]
fn what_python_cannot_have_is_said_in_the_resolvers_words() {
    if !can_run(Registry::Pypi) {
        return;
    }
    for (packages, words) in [
        (&["requests>=99"][..], "requests"),
        (&["no-such-package-of-this-name-7f3a"], "not found"),
        // It was never built.
        (&["pycrypto"], "no usable wheels"),
        (&["pandas==3.0", "numpy<1.20"], "numpy"),
    ] {
        let error = resolve(&ANY, &asked(Registry::Pypi, packages), b"").unwrap_err();
        assert!(
            matches!(&error, ResolveError::NoSolution { words: own } if own.contains(words)),
            "{error}"
        );
    }
    let listed = PackageRules {
        python: Allowed::Listed(vec!["requests<2.30".parse_entry()]),
        ..ANY
    };
    let set = resolve(&listed, &asked(Registry::Pypi, &["requests"]), b"").unwrap();
    assert!(
        version(&set, "requests").unwrap().starts_with("2.2"),
        "the list's versions are chosen from"
    );
    let few = PackageRules {
        max_packages: 2,
        ..ANY
    };
    let error = resolve(&few, &asked(Registry::Pypi, &["requests"]), b"").unwrap_err();
    assert!(
        matches!(
            error,
            ResolveError::Refused(PackageError::TooManyResolved { .. })
        ),
        "{error}"
    );
}

/// For the list of a test.
trait ParseEntry {
    fn parse_entry(&self) -> protocol::packages::python::PythonRequirement;
}

impl ParseEntry for str {
    fn parse_entry(&self) -> protocol::packages::python::PythonRequirement {
        protocol::packages::python::PythonRequirement::parse(self).unwrap()
    }
}

#[test]
fn a_registry_that_is_not_there_is_told_apart() {
    if !can_run(Registry::Pypi) || !can_run(Registry::Npm) {
        return;
    }
    // The tools are there; a port that nobody listens at is not.
    Resolver::new(&tools(), &ANY)
        .tools
        .uv(&pypi::index(None))
        .unwrap();
    Resolver::new(&tools(), &ANY)
        .tools
        .npm(&npm::registry(None))
        .unwrap();
    let away = PackageRules {
        python_index: Some("http://me:word@127.0.0.1:9/simple".to_owned()),
        npm_registry: Some("http://127.0.0.1:9".to_owned()),
        ..ANY
    };
    for packages in [
        asked(Registry::Pypi, &["requests"]),
        asked(Registry::Npm, &["once"]),
    ] {
        let error = resolve(&away, &packages, b"").unwrap_err();
        assert!(matches!(error, ResolveError::Unreachable { .. }), "{error}");
        assert!(!error.to_string().contains("word"), "{error}");
    }
    // An address that drops what is sent to it (RFC 5737).
    let slow = PackageRules {
        python_index: Some("http://192.0.2.1/simple".to_owned()),
        max_seconds: 2,
        ..ANY
    };
    let start = Instant::now();
    let error = resolve(&slow, &asked(Registry::Pypi, &["requests"]), b"").unwrap_err();
    assert!(
        matches!(
            error,
            ResolveError::TooLong { seconds: 2 } | ResolveError::Unreachable { .. }
        ),
        "{error}"
    );
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn node_packages_are_resolved_to_one_set_and_unpacked() {
    if !can_run(Registry::Npm) {
        return;
    }
    let packages = asked(
        Registry::Npm,
        &["once@^1.4", "@types/node@20", "esbuild@0.28.2"],
    );
    let set = resolve(&ANY, &packages, b"").unwrap();
    assert_eq!(version(&set, "esbuild"), Some("0.28.2"));
    assert!(version(&set, "wrappy").is_some() && version(&set, "undici-types").is_some());
    assert!(version(&set, "@esbuild/linux-x64").is_some());
    assert_eq!(version(&set, "@esbuild/win32-x64"), None);
    assert_eq!(resolve(&ANY, &packages, b"").unwrap(), set);
    let small = resolve(&ANY, &asked(Registry::Npm, &["once"]), b"").unwrap();
    let tree = tempfile::tempdir().unwrap();
    small.unpack(&ANY, tree.path(), &|_| false).unwrap();
    assert!(tree.path().join("node_modules/once/once.js").is_file());
    assert!(
        tree.path()
            .join("node_modules/wrappy/package.json")
            .is_file()
    );
}

#[test]
fn what_node_cannot_have_is_said_in_the_resolvers_words() {
    if !can_run(Registry::Npm) {
        return;
    }
    for (packages, words) in [
        (
            &["once@>=99"][..],
            "No matching version found for once@>=99",
        ),
        (&["no-such-package-of-this-name-7f3a"], "could not be found"),
        (
            &["react@17.0.0", "react-dom@19.0.0"],
            "unable to resolve dependency tree",
        ),
    ] {
        let error = resolve(&ANY, &asked(Registry::Npm, packages), b"").unwrap_err();
        assert!(
            matches!(&error, ResolveError::NoSolution { words: own } if own.contains(words)),
            "{error}"
        );
    }
}
