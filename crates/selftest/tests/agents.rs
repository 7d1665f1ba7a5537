//! The agents that VMs start are static and have paths that no other build writes.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::fs;
use std::path::Path;

/// What `make agent` puts beside the tool, and packages install.
const INSTALLED: [&str; 2] = ["llm-firecracker-agent", "llm-firecracker-hostile-agent"];

/// The binaries that a plain `cargo build` writes: as named in a manifest, else after the package.
fn binaries(manifest: &Path) -> Vec<String> {
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    let package = manifest["package"]["name"].as_str().unwrap().to_owned();
    let named = manifest.get("bin").and_then(toml::Value::as_array);
    let named = named.into_iter().flatten();
    let named = named.filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned()));
    named.chain([package]).collect()
}

#[test]
fn no_other_build_writes_where_the_static_agents_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        all.extend(binaries(&entry.unwrap().path().join("Cargo.toml")));
    }
    assert!(all.contains(&"agent".into()) && all.contains(&"hostile-agent".into()));
    let makefile = fs::read_to_string(root.join("Makefile")).unwrap();
    for name in INSTALLED {
        assert!(!all.contains(&name.to_owned()), "cargo build writes {name}");
    }
    for (built, target) in [("agent", "$(AGENT)"), ("hostile-agent", INSTALLED[1])] {
        let copied = |line: &str| {
            line.contains(&format!("cp target/$(TARGET)/agent/{built} ")) && line.ends_with(target)
        };
        assert!(
            makefile.lines().any(copied),
            "make agent does not copy {built}"
        );
    }
}
