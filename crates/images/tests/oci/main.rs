//! Images that Debian's tools make, brought by this tool and by `umoci`, and compared entry by entry.
//!
//! - `tools`: programs and a registry on this host; `trees`: what images are made of
//! - `compare`: two trees, and what may differ; `cost`: time and memory
//!
//! A test whose programs are missing says `not run: …`; with `LLM_FIRECRACKER_REQUIRE=1` it fails.
//! `scripts/setup-debian.sh --tests` installs them.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod compare;
mod cost;
mod tools;
mod trees;

use compare::compare;
use images::Silent;
use images::oci::{self, Brought, OciError, Source};
use std::path::Path;
use std::process::Command;
use tools::{Access, Lab, have};
use trees::Made;

/// Not a test: what the jail starts, with this name as its only argument.
#[test]
fn oci_flatten_child() {
    if std::env::args().nth(1).as_deref() == Some(oci::CHILD_WORD) {
        let code = oci::child_main();
        std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
    }
}

fn bring(source: &str, scratch: &Path) -> Result<Brought, OciError> {
    let source: Source = source.parse()?;
    std::fs::create_dir(scratch).unwrap();
    let digest = oci::digest_of(&source)?;
    let brought = oci::bring_and_pack(&source, scratch, &Silent)?;
    assert_eq!(brought.manifest_digest, digest);
    assert!(scratch.join("image.erofs").exists());
    Ok(brought)
}

/// From everywhere: each time the tree that `umoci` unpacks.
fn comes_as_umoci_has_it(lab: &Lab, made: &Made) {
    let bundle = lab.path("theirs").display().to_string();
    let image = format!("{}:{}", lab.path("images").display(), made.name);
    lab.run(
        "umoci",
        &["unpack", "--rootless", "--image", &image, &bundle],
    );
    for (from, brought) in bring_from_everywhere(lab, made.name) {
        assert_eq!(brought.layers, made.layers);
        let seen = compare(&Path::new(&bundle).join("rootfs"), &brought.root);
        let (count, expected, dropped) = (seen.entries, seen.expected, brought.dropped);
        let times = |reason| expected.get(reason).copied().unwrap_or_default() as u64;
        assert_eq!(times(compare::DEVICES), dropped.devices, "{from}");
        assert_eq!(times(compare::PIPES), dropped.fifos, "{from}");
        assert_eq!(seen.unexpected, Vec::<String>::new(), "{from}");
        assert!(count >= made.entries, "{from}: {count} entries");
        println!(
            "{} from {from}: {count} entries; meant to differ: {expected:?}; {dropped:?}",
            made.name
        );
    }
}

/// From a registry by tag and by digest, from a folder with gzip and with zstd, from an archive.
fn bring_from_everywhere(lab: &Lab, name: &str) -> Vec<(&'static str, Brought)> {
    let at = |name: &str| lab.path(name).display().to_string();
    let registry = lab.registry(Access::Open);
    let folder = format!("oci:{}:{name}", at("images"));
    let zstd = format!("oci:{}:{name}", at("zstd"));
    let archive = format!("docker-archive:{}:own/{name}:1", at("archive"));
    registry.push(lab, &folder, name);
    lab.run("skopeo", &["copy", "-q", &folder, &archive]);
    lab.run(
        "skopeo",
        &[
            "copy",
            "-q",
            "--dest-compress-format",
            "zstd",
            &folder,
            &zstd,
        ],
    );
    let bring_to = |source: &str, scratch| bring(source, &lab.path(scratch)).unwrap();
    let reference = format!("{}/own/{name}", registry.address);
    let by_tag = bring_to(&format!("{reference}:1"), "by-tag");
    let pinned = by_tag.reference.clone().unwrap();
    assert_eq!(
        pinned,
        format!("{reference}@{}", registry.digest(lab, name))
    );
    let by_digest = bring_to(&pinned, "by-digest");
    assert_eq!(by_digest.manifest_digest, by_tag.manifest_digest);
    vec![
        ("a registry by tag", by_tag),
        ("a registry by digest", by_digest),
        ("a folder", bring_to(&folder, "of-folder")),
        ("a folder with zstd", bring_to(&zstd, "of-zstd")),
        ("an archive", bring_to(&archive, "of-archive")),
    ]
}

#[test]
fn a_small_system_with_whiteouts_comes_as_umoci_has_it() {
    if !have(&["docker-registry", "skopeo", "umoci"]) {
        return;
    }
    let lab = Lab::new();
    comes_as_umoci_has_it(&lab, &trees::small_system(&lab));
}

#[test]
fn a_busybox_of_hard_links_comes_as_umoci_has_it() {
    if !have(&["docker-registry", "skopeo", "umoci"]) {
        return;
    }
    let lab = Lab::new();
    comes_as_umoci_has_it(&lab, &trees::busybox(&lab));
}

#[test]
fn a_program_by_buildah_comes_as_umoci_has_it_with_its_config() {
    if !have(&["docker-registry", "skopeo", "umoci", "buildah"]) {
        return;
    }
    let lab = Lab::new();
    let made = trees::program(&lab);
    comes_as_umoci_has_it(&lab, &made);
    let source = format!("oci:{}:{}", lab.path("images").display(), made.name);
    let config = bring(&source, &lab.path("config")).unwrap().config;
    assert_eq!(config.entrypoint, ["/program"]);
    assert_eq!(config.cmd, ["--help"]);
    assert!(
        config.env.contains(&("MODE".to_owned(), "a=b".to_owned())),
        "{:?}",
        config.env
    );
    assert_eq!(config.working_dir.as_deref(), Some("/data"));
}

/// With what `mmdebstrap` brings from a mirror: devices, setuid programs, hard links, merged `/usr`.
#[test]
fn a_debian_comes_as_umoci_has_it() {
    if !have(&["docker-registry", "skopeo", "umoci", "mmdebstrap"]) {
        return;
    }
    let lab = Lab::new();
    if let Some(made) = trees::debian(&lab) {
        comes_as_umoci_has_it(&lab, &made);
    }
}

#[test]
fn hostile_layers_of_a_registry_leave_nothing() {
    if !have(&["docker-registry", "skopeo", "umoci"]) {
        return;
    }
    let lab = Lab::new();
    let registry = lab.registry(Access::Open);
    for (name, expected) in trees::hostile(&lab) {
        registry.push(
            &lab,
            &format!("oci:{}:{name}", lab.path("images").display()),
            name,
        );
        let scratch = lab.path(&format!("{name}-scratch"));
        let error = bring(&format!("{}/own/{name}:1", registry.address), &scratch).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!scratch.join("root").exists(), "{name}");
        assert!(!Path::new("/tmp/oci-escaped").exists(), "{name}");
    }
}

#[test]
fn a_registry_with_a_password_wants_it() {
    if !have(&["docker-registry", "skopeo", "umoci"]) {
        return;
    }
    let lab = Lab::new();
    let made = trees::busybox(&lab);
    let registry = lab.registry(Access::Password);
    registry.push(
        &lab,
        &format!("oci:{}:{}", lab.path("images").display(), made.name),
        made.name,
    );
    let source = format!("{}/own/{}:1", registry.address, made.name);
    for (password, expected) in [
        (None, "it wants a password"),
        (Some("wrong"), "401"),
        (Some(tools::PASSWORD), "brought sha256:"),
    ] {
        let mut variables = vec![];
        if let Some(password) = password {
            variables.push(("LLM_FIRECRACKER_REGISTRY_USER", tools::USER));
            variables.push(("LLM_FIRECRACKER_REGISTRY_PASSWORD", password));
        }
        let text = bring_elsewhere(&source, &variables);
        assert!(text.contains(expected), "{password:?}: {text}");
    }
}

#[test]
fn a_registry_elsewhere_is_asked_by_tls_as_the_host_trusts_it() {
    if !have(&["docker-registry", "skopeo", "umoci", "openssl"]) {
        return;
    }
    let lab = Lab::new();
    if lab.own_address().is_none() {
        tools::not_run("this host has no address but its loopback");
        return;
    }
    let made = trees::busybox(&lab);
    let registry = lab.registry(Access::Tls);
    let local = format!("oci:{}:{}", lab.path("images").display(), made.name);
    registry.push(&lab, &local, made.name);
    let source = format!("{}/own/{}:1", registry.address, made.name);
    let certificate = lab.path("certificate.pem").display().to_string();
    // In the place of the host's own list.
    let text = bring_elsewhere(&source, &[("SSL_CERT_FILE", &certificate)]);
    assert!(text.contains("brought sha256:"), "{text}");
    let text = bring_elsewhere(&source, &[]);
    assert!(
        text.contains("refused: https://") && text.contains("certificate"),
        "{text}"
    );
}

/// In a process with these variables: the environment is the process' own.
fn bring_elsewhere(source: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "brings_what_the_environment_names",
            "--ignored",
            "--nocapture",
        ])
        .env("OCI_SOURCE", source)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "started by another test"]
fn brings_what_the_environment_names() {
    let folder = tempfile::tempdir().unwrap();
    let source = std::env::var("OCI_SOURCE").unwrap();
    match bring(&source, &folder.path().join("scratch")) {
        Ok(brought) => println!("brought {}", brought.manifest_digest),
        Err(error) => println!("refused: {error}"),
    }
}
