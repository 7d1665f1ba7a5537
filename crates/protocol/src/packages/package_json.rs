//! `package.json` beside a Node program: what of it is asked for.

use super::error::PackageError;
use super::node::NodeRequirement;
use super::{RequiredPackages, check_count};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Bytes of the file; those of large projects have a tenth.
pub const MAX_BYTES: usize = 64 * 1024;

/// The packages that the file asks for. What only its makers need (`devDependencies`) is not brought; scripts,
/// `overrides` and workspaces have no effect.
pub fn read(bytes: &[u8]) -> Result<RequiredPackages, PackageError> {
    if bytes.len() > MAX_BYTES {
        return Err(PackageError::PackageJsonSize {
            bytes: bytes.len(),
            bound: MAX_BYTES,
        });
    }
    let wrong = |error: serde_json::Error| PackageError::PackageJson {
        why: error.to_string(),
    };
    // Not a struct, which a list would do for as well.
    let mut file: Map<String, Value> = serde_json::from_slice(bytes).map_err(wrong)?;
    let dependencies = match file.remove("dependencies") {
        Some(dependencies) => serde_json::from_value(dependencies).map_err(wrong)?,
        None => BTreeMap::<String, String>::new(),
    };
    check_count(dependencies.len())?;
    let requirement = |(name, range): (&String, &String)| {
        let text = format!("{name}@{range}");
        super::check_text(&text)?;
        NodeRequirement::new(name, range).map_err(|why| PackageError::refused(&text, why))
    };
    let all: Result<Vec<_>, _> = dependencies.iter().map(requirement).collect();
    RequiredPackages::node(all?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_asked_for_and_nothing_else() {
        let text = br#"{"name": "x", "type": "module", "scripts": {"postinstall": "rm -rf /"},
            "dependencies": {"lodash": "^4.17", "@types/node": "20", "any": ""}, "devDependencies": {"jest": "^29"}}"#;
        let asked = read(text).unwrap();
        assert_eq!(asked.lines(), ["@types/node@20", "any@*", "lodash@^4.17"]);
        assert!(read(br#"{"name": "x"}"#).unwrap().is_empty());
    }

    #[test]
    fn what_leads_elsewhere_or_is_none_is_refused() {
        let large = format!("{{\"name\": \"{}\"}}", "x".repeat(MAX_BYTES));
        let many: Vec<String> = (0..65)
            .map(|number| format!("\"a{number}\": \"1\""))
            .collect();
        let many = format!("{{\"dependencies\": {{{}}}}}", many.join(","));
        let deep = "[".repeat(60_000);
        for (text, why) in [
            (r#"{"dependencies": {"a": "file:../x"}}"#, "no range"),
            (r#"{"dependencies": {"a": "git+ssh://x/y"}}"#, "URL"),
            (r#"{"dependencies": {"a": "user/repo"}}"#, "no range"),
            (r#"{"dependencies": {"../a": "1"}}"#, "path"),
            (r#"{"dependencies": {"a@1": "1"}}"#, "no name"),
            (r#"{"dependencies": {"a": 1}}"#, "cannot be read"),
            (r#"{"dependencies": ["a"]}"#, "cannot be read"),
            ("[]", "cannot be read"),
            ("", "cannot be read"),
            (&deep, "cannot be read"),
            (&large, "bytes"),
            (&many, "65 packages"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{text:.60}: {error}");
        }
        assert!(read(b"\xff\xfe").is_err());
    }
}
