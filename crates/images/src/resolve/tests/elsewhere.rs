//! Packages whose dependencies lead elsewhere: to a URL of the host's network, a file, a repository. Their registry is
//! one of the test's own, which tells what it was asked for.

use super::*;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha512};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

type Pages = BTreeMap<String, Vec<u8>>;

struct OwnRegistry {
    url: String,
    pages: Arc<Mutex<Pages>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl OwnRegistry {
    fn new() -> OwnRegistry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = OwnRegistry {
            url: format!("http://{}", listener.local_addr().unwrap()),
            pages: Arc::default(),
            asked: Arc::default(),
        };
        let (pages, asked) = (own.pages.clone(), own.asked.clone());
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, asked) = (pages.clone(), asked.clone());
                std::thread::spawn(move || answer(stream, &pages, &asked));
            }
        });
        own
    }

    fn serve(&self, path: &str, page: impl Into<Vec<u8>>) {
        self.pages
            .lock()
            .unwrap()
            .insert(path.to_owned(), page.into());
    }

    fn rules(&self) -> PackageRules {
        PackageRules {
            python_index: Some(format!("{}/simple", self.url)),
            npm_registry: Some(self.url.clone()),
            ..ANY
        }
    }

    /// What came of it, and nobody went there.
    fn resolve(&self, packages: &RequiredPackages) -> Result<Resolved, ResolveError> {
        let result = resolve(&self.rules(), packages, b"");
        let asked = self.asked.lock().unwrap().clone();
        assert!(asked.iter().any(|path| path.contains("evil")), "{asked:?}");
        assert!(
            !asked.iter().any(|path| path.contains("secret")),
            "{asked:?}"
        );
        result
    }

    fn refuses(&self, packages: &RequiredPackages) -> String {
        self.resolve(packages).unwrap_err().to_string()
    }
}

fn answer(mut stream: TcpStream, pages: &Mutex<Pages>, asked: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().unwrap().push(path.clone());
    let page = pages.lock().unwrap().get(&path).cloned();
    let kind = match path.starts_with("/simple") {
        true => "application/vnd.pypi.simple.v1+json",
        false => "application/json",
    };
    let status = if page.is_some() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let page = page.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        page.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), &page].concat());
}

/// Whether the tools are there: they come from the registries that are.
fn tools_are_there() -> bool {
    can_run(Registry::Pypi)
        && can_run(Registry::Npm)
        && Resolver::new(&tools(), &ANY)
            .tools
            .uv(&pypi::index(None))
            .is_ok()
        && Resolver::new(&tools(), &ANY)
            .tools
            .npm(&npm::registry(None))
            .is_ok()
}

/// An archive of npm's with these files.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A package of version 1.0.0 with these fields and files.
fn publish(registry: &OwnRegistry, name: &str, fields: serde_json::Value, files: &[(&str, &str)]) {
    let archive = archive(files);
    let mut version = fields;
    version["name"] = name.into();
    version["version"] = "1.0.0".into();
    version["dist"] = serde_json::json!({
        "tarball": format!("{}/{name}/-/{name}-1.0.0.tgz", registry.url),
        "integrity": format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(&archive))),
    });
    let page = serde_json::json!({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}});
    registry.serve(&format!("/{name}"), page.to_string());
    registry.serve(&format!("/{name}/-/{name}-1.0.0.tgz"), archive);
}

#[test]
fn a_dependency_of_npms_on_anything_but_the_registry_is_refused_and_not_fetched() {
    if !tools_are_there() {
        return;
    }
    for elsewhere in [
        "HOST/secret.tgz",
        "git+HOST/secret.git",
        "file:/etc/secret",
        "github:secret/secret",
    ] {
        let registry = OwnRegistry::new();
        let elsewhere = elsewhere.replace("HOST", &registry.url);
        registry.serve(
            "/secret.tgz",
            archive(&[(
                "package/package.json",
                r#"{"name": "x", "version": "1.0.0"}"#,
            )]),
        );
        let dependencies = serde_json::json!({"dependencies": {"x": elsewhere}});
        publish(&registry, "evil", dependencies, &[]);
        let error = registry.refuses(&asked(Registry::Npm, &["evil"]));
        assert!(error.contains("disabled"), "{elsewhere}: {error}");
    }
}

#[test]
fn what_a_package_of_npms_brings_in_its_archive_leads_nowhere_either() {
    if !tools_are_there() {
        return;
    }
    let registry = OwnRegistry::new();
    let inner = format!(
        r#"{{"name": "y", "version": "1.0.0", "dependencies": {{"x": "{}/secret.tgz"}}}}"#,
        registry.url
    );
    registry.serve(
        "/secret.tgz",
        archive(&[(
            "package/package.json",
            r#"{"name": "x", "version": "1.0.0"}"#,
        )]),
    );
    let fields = serde_json::json!({"dependencies": {"y": "1.0.0"}, "bundleDependencies": ["y"]});
    let package = fields
        .to_string()
        .replacen('{', r#"{"name": "evil", "version": "1.0.0", "#, 1);
    publish(
        &registry,
        "evil",
        fields,
        &[
            ("package/package.json", &package),
            ("package/node_modules/y/package.json", &inner),
        ],
    );
    // What is in an archive is to bring what it needs: npm looks no further.
    let set = registry.resolve(&asked(Registry::Npm, &["evil"])).unwrap();
    assert_eq!(set.packages.len(), 1, "{:?}", set.packages);
    // And one that brings what is harmless is taken.
    let registry = OwnRegistry::new();
    let fields = serde_json::json!({"dependencies": {"y": "1.0.0"}, "bundleDependencies": ["y"]});
    let inner = r#"{"name": "y", "version": "1.0.0"}"#;
    publish(
        &registry,
        "kind",
        fields,
        &[
            ("package/package.json", &package.replace("evil", "kind")),
            ("package/node_modules/y/package.json", inner),
        ],
    );
    let set = resolve(&registry.rules(), &asked(Registry::Npm, &["kind"]), b"").unwrap();
    assert_eq!(set.packages.len(), 1, "{:?}", set.packages);
    let tree = tempfile::tempdir().unwrap();
    set.unpack(&registry.rules(), tree.path(), &|_| false)
        .unwrap();
    assert!(
        tree.path()
            .join("node_modules/kind/node_modules/y/package.json")
            .is_file()
    );
}

#[test]
fn a_dependency_of_python_on_a_url_is_refused_and_not_fetched() {
    if !tools_are_there() {
        return;
    }
    for elsewhere in [
        "HOST/secret-1-py3-none-any.whl",
        "git+HOST/secret.git",
        "file:///etc/secret-1-py3-none-any.whl",
    ] {
        let registry = OwnRegistry::new();
        let elsewhere = elsewhere.replace("HOST", &registry.url);
        let metadata = format!(
            "Metadata-Version: 2.1\nName: evil\nVersion: 1\nRequires-Dist: secret @ {elsewhere}\n"
        );
        let file = "evil-1-py3-none-any.whl";
        let page = serde_json::json!({
            "meta": {"api-version": "1.0"}, "name": "evil",
            "files": [{
                "filename": file, "url": format!("{}/files/{file}", registry.url), "hashes": {"sha256": "a".repeat(64)},
                "core-metadata": {"sha256": crate::digest::sha256(metadata.as_bytes())},
            }],
        });
        registry.serve("/simple/evil/", page.to_string());
        registry.serve(&format!("/files/{file}.metadata"), metadata);
        let error = registry.refuses(&asked(Registry::Pypi, &["evil"]));
        assert!(
            error.contains("URL") || error.contains("secret"),
            "{elsewhere}: {error}"
        );
    }
}

/// Code of a package that would be run to build it.
#[test]
fn a_python_package_without_a_wheel_is_not_built() {
    if !tools_are_there() {
        return;
    }
    let registry = OwnRegistry::new();
    let file = "evil-1.tar.gz";
    let page = serde_json::json!({
        "meta": {"api-version": "1.0"}, "name": "evil",
        "files": [{"filename": file, "url": format!("{}/files/secret-{file}", registry.url), "hashes": {"sha256": "a".repeat(64)}}],
    });
    registry.serve("/simple/evil/", page.to_string());
    let error = registry.refuses(&asked(Registry::Pypi, &["evil"]));
    assert!(error.contains("no usable wheels"), "{error}");
}
