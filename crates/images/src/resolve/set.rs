//! A set of packages that goes together.

use super::error::ResolveError;
use crate::digest;
use crate::npm::{self, Wanted};
use crate::pypi::lock::{self, Pinned};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use protocol::packages::Registry;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Changes when digests of sets are to be others: what is unpacked of a set, and where, is part of what they stand for.
const FORMAT: u32 = 1;

/// A package of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// As its registry has it.
    pub name: String,
    /// As its registry has it.
    pub version: String,
    /// Of each file that it may come as, in order: `sha256:` or `sha512:`, then lower-case hex.
    pub digests: Vec<String>,
}

/// All packages that a program needs, with what they depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Where they come from.
    pub registry: Registry,
    /// Sorted by name, then version. npm's may be there in several versions.
    pub packages: Vec<ResolvedPackage>,
    /// A lock file of them, as the tools of the registry read it. One form for equal sets.
    pub lock: Vec<u8>,
    /// SHA-256 of the lock file and its registry, in lower-case hex: equal for equal sets, and for no others.
    pub digest: String,
}

impl Resolved {
    /// Of a lock file as `uv` writes it.
    pub(super) fn of_python(output: &[u8]) -> Result<Resolved, ResolveError> {
        let pinned = lock::parse(output).map_err(|why| ResolveError::Output { tool: "uv", why })?;
        Ok(Resolved::of_pinned(pinned))
    }

    fn of_pinned(mut pinned: Vec<Pinned>) -> Resolved {
        pinned.sort_by(|one, other| one.name.cmp(&other.name));
        let line = |one: &Pinned| {
            let hashes = one
                .sha256
                .iter()
                .map(|digest| format!(" \\\n    --hash=sha256:{digest}"));
            format!(
                "{}=={}{}\n",
                one.name,
                one.version,
                hashes.collect::<String>()
            )
        };
        let lock: String = pinned.iter().map(line).collect();
        let packages = pinned.into_iter().map(|one| ResolvedPackage {
            name: one.name,
            version: one.version,
            digests: one
                .sha256
                .iter()
                .map(|digest| format!("sha256:{digest}"))
                .collect(),
        });
        Resolved::new(Registry::Pypi, packages.collect(), lock.into_bytes())
    }

    /// Of a lock file as `npm` writes it: what of it guests can use.
    pub(super) fn of_node(output: &[u8]) -> Result<Resolved, ResolveError> {
        let unread = |error: crate::ImageError| ResolveError::Output {
            tool: "npm",
            why: error.to_string(),
        };
        let mut wanted = npm::wanted(output).map_err(unread)?;
        let entry = |one: &Wanted| {
            let integrity = format!("sha512-{}", BASE64_STANDARD.encode(&one.digest));
            let entry = json!({"name": one.name, "version": one.version, "integrity": integrity});
            (one.folder.to_string_lossy().into_owned(), entry)
        };
        let entries: Map<String, Value> = wanted.iter().map(entry).collect();
        let lock = json!({"lockfileVersion": 3, "packages": entries}).to_string();
        let key = |one: &Wanted| (one.name.clone(), one.version.clone());
        wanted.sort_by_key(key);
        // One package may be in several folders.
        wanted.dedup_by_key(|one| key(one));
        let packages = wanted.into_iter().map(|one| ResolvedPackage {
            name: one.name,
            version: one.version,
            digests: vec![format!("sha512:{}", hex::encode(one.digest))],
        });
        Ok(Resolved::new(
            Registry::Npm,
            packages.collect(),
            lock.into_bytes(),
        ))
    }

    fn new(registry: Registry, packages: Vec<ResolvedPackage>, lock: Vec<u8>) -> Resolved {
        let head = format!("{FORMAT} {registry}\n");
        let digest = digest::sha256(&[head.as_bytes(), &lock].concat());
        Resolved {
            registry,
            packages,
            lock,
            digest,
        }
    }

    /// What of it an image does not have yet whose own Python packages this lock file names: the rest need not be
    /// brought.
    pub fn beyond(&self, base: &[u8]) -> Result<Resolved, ResolveError> {
        let known = versions(base)?;
        let output = |why| ResolveError::Output { tool: "uv", why };
        if self.registry == Registry::Npm || known.is_empty() {
            return Ok(self.clone());
        }
        let mut pinned = lock::parse(&self.lock).map_err(output)?;
        pinned.retain(|one| known.get(&one.name) != Some(&one.version));
        Ok(Resolved::of_pinned(pinned))
    }

    /// Packages of such an image that the set has in another version: name, the image's, the set's.
    pub fn replaced(&self, base: &[u8]) -> Result<Vec<(String, String, String)>, ResolveError> {
        let mut known = versions(base)?;
        let packages = self
            .packages
            .iter()
            .filter(|_| self.registry == Registry::Pypi);
        let of_base = packages.filter_map(|one| Some((one, known.remove(&one.name)?)));
        let others = of_base.filter(|(one, version)| one.version != *version);
        Ok(others
            .map(|(one, version)| (one.name.clone(), version, one.version.clone()))
            .collect())
    }
}

/// Of a lock file of this tool's own.
pub(super) fn versions(base: &[u8]) -> Result<BTreeMap<String, String>, ResolveError> {
    Ok(crate::pypi::versions(base)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(letter: &str) -> String {
        letter.repeat(64)
    }

    fn python(lines: &[(&str, &str)]) -> Resolved {
        let text: String = lines
            .iter()
            .map(|(what, letter)| format!("{what} --hash=sha256:{}\n", hash(letter)))
            .collect();
        Resolved::of_python(text.as_bytes()).unwrap()
    }

    #[test]
    fn equal_sets_have_one_lock_and_one_digest() {
        let one = python(&[("b==2", "b"), ("A_x==1", "a")]);
        let text = format!(
            "# via\na-x==1 --hash=sha256:{}\n\nb==2 ; os_name == 'x' --hash=sha256:{}\n",
            hash("A"),
            hash("b")
        );
        let other = Resolved::of_python(text.as_bytes()).unwrap();
        assert_eq!(one, other);
        let again = Resolved::of_python(&one.lock).unwrap();
        assert_eq!(one, again, "its own lock is read as itself");
        for different in [
            python(&[("b==2", "b")]),
            python(&[("b==2", "b"), ("a-x==2", "a")]),
            python(&[("b==2", "b"), ("a-x==1", "c")]),
        ] {
            assert_ne!(one.digest, different.digest);
        }
    }

    #[test]
    fn what_the_image_has_need_not_come() {
        let set = python(&[("a==1", "a"), ("b==2", "b"), ("c==3", "c")]);
        let base = format!(
            "a==1 --hash=sha256:{}\nb==1 --hash=sha256:{}\nd==1 --hash=sha256:{}\n",
            hash("a"),
            hash("b"),
            hash("d")
        );
        let beyond = set.beyond(base.as_bytes()).unwrap();
        assert_eq!(beyond, python(&[("b==2", "b"), ("c==3", "c")]));
        assert_eq!(
            set.replaced(base.as_bytes()).unwrap(),
            [("b".to_owned(), "1".to_owned(), "2".to_owned())]
        );
        assert_eq!(set.beyond(b"").unwrap(), set);
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        for text in ["a\n", "a==1\n", "a @ https://x --hash=sha256:aa\n", "\u{1}"] {
            assert!(Resolved::of_python(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Resolved::of_node(b"{}").is_err());
    }

    #[test]
    fn of_npms_lock_what_guests_use_stays() {
        let text = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}},
            "node_modules/a": {"version": "1.0.0", "integrity": "sha512-AAAA", "license": "MIT"},
            "node_modules/b/node_modules/a": {"version": "1.0.0", "integrity": "sha512-AAAA"},
            "node_modules/b": {"version": "2.0.0", "integrity": "sha512-AAAA", "resolved": "https://elsewhere"},
            "node_modules/win": {"version": "1.0.0", "integrity": "sha512-AAAA", "os": ["win32"]}}}"#;
        let set = Resolved::of_node(text.as_bytes()).unwrap();
        let names: Vec<&str> = set.packages.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(npm::wanted(&set.lock).unwrap().len(), 3, "in its folders");
        assert_eq!(Resolved::of_node(&set.lock).unwrap(), set);
        assert!(!String::from_utf8_lossy(&set.lock).contains("elsewhere"));
    }
}
