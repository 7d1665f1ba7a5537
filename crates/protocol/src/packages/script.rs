//! The header of a Python program that says what it needs: PEP 723, as `uv run` reads it.
//!
//! ```text
//! # /// script
//! # requires-python = ">=3.12"
//! # dependencies = ["requests<3"]
//! # ///
//! ```
//!
//! Found as the PEP's reference does it: a block ends at the last `# ///` of the comments that follow its start, and one
//! without such an end is none. Two blocks are an error. Of `[tool.*]` everything is passed over but what says where
//! packages come from: a program that names an index means other packages than the same names have in the operator's,
//! so it is refused and not run with something else.

use super::error::PackageError;
use super::python::PythonRequirement;
use super::specifiers::Specifiers;
use super::version::Version;
use super::{RequiredPackages, check_count};
use serde::Deserialize;

/// Bytes of what is in a block; real ones have some hundred.
pub const MAX_BYTES: usize = 64 * 1024;
const START: &str = "# /// ";
const END: &str = "# ///";
const TYPE: &str = "script";
/// Of `[tool.uv]`, and of its `pip`.
const INDEX_FIELDS: [&str; 6] = [
    "index",
    "sources",
    "index-url",
    "default-index",
    "extra-index-url",
    "find-links",
];

/// What a header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptHeader {
    /// The packages.
    pub packages: RequiredPackages,
    /// Which Python will do.
    pub requires_python: Specifiers,
}

impl ScriptHeader {
    /// Refuses a program that asks for another Python than there is.
    pub fn check_python(&self, version: &Version) -> Result<(), PackageError> {
        match self.requires_python.contains(version) {
            true => Ok(()),
            false => Err(PackageError::OtherPython {
                wanted: self.requires_python.to_string(),
                version: version.to_string(),
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    #[serde(default)]
    dependencies: Vec<String>,
    requires_python: Option<String>,
    #[serde(default)]
    tool: toml::Table,
}

/// The header of a program, if it has one.
pub fn read(code: &str) -> Result<Option<ScriptHeader>, PackageError> {
    let Some(text) = block(code)? else {
        return Ok(None);
    };
    if text.len() > MAX_BYTES {
        return Err(PackageError::BlockSize {
            bytes: text.len(),
            bound: MAX_BYTES,
        });
    }
    let metadata: Metadata =
        toml::from_str(&text).map_err(|source| PackageError::Script { source })?;
    check_index(&metadata.tool)?;
    check_count(metadata.dependencies.len())?;
    let dependencies = metadata.dependencies.iter();
    let dependencies: Result<Vec<_>, _> = dependencies
        .map(|text| PythonRequirement::parse(text))
        .collect();
    let requires_python = metadata.requires_python.unwrap_or_default();
    Ok(Some(ScriptHeader {
        packages: RequiredPackages::python(dependencies?)?,
        requires_python: Specifiers::parse(&requires_python)
            .map_err(|why| PackageError::refused(&requires_python, why))?,
    }))
}

fn check_index(tool: &toml::Table) -> Result<(), PackageError> {
    let Some(uv) = tool.get("uv").and_then(toml::Value::as_table) else {
        return Ok(());
    };
    let pip = uv.get("pip").and_then(toml::Value::as_table);
    let named = |table: &toml::Table, path: &str| {
        let field = INDEX_FIELDS
            .iter()
            .find(|field| table.contains_key(**field));
        field.map(|field| format!("{path}.{field}"))
    };
    match named(uv, "tool.uv").or_else(|| named(pip?, "tool.uv.pip")) {
        Some(field) => Err(PackageError::ScriptIndex { field }),
        None => Ok(()),
    }
}

/// What is in the block of this type.
fn block(code: &str) -> Result<Option<String>, PackageError> {
    let mut lines = Lines(code);
    let mut found = None;
    while let Some(line) = lines.next() {
        let Some(kind) = kind(line) else { continue };
        let Some((content, after)) = content(&lines) else {
            continue;
        };
        // What is in a block, of whichever type, begins no other.
        lines = after;
        if kind == TYPE && found.replace(content).is_some() {
            return Err(PackageError::Blocks);
        }
    }
    Ok(found)
}

/// The type of the block that the line begins.
fn kind(line: &str) -> Option<&str> {
    let kind = line.strip_prefix(START)?;
    let plain = kind
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && !kind.is_empty()).then_some(kind)
}

/// The lines up to the last end among the comments that come next, without their `#`, and what is after that.
fn content<'a>(lines: &Lines<'a>) -> Option<(String, Lines<'a>)> {
    let mut ahead = Lines(lines.0);
    let (mut text, mut found) = (String::new(), None);
    while let Some(line) = ahead.next() {
        let Some(inner) = uncommented(line) else {
            break;
        };
        // At least one line is in a block.
        if line == END && !text.is_empty() {
            found = Some((text.len(), Lines(ahead.0)));
        }
        text.push_str(inner);
        text.push('\n');
    }
    let (length, after) = found?;
    text.truncate(length);
    Some((text, after))
}

fn uncommented(line: &str) -> Option<&str> {
    match line.strip_prefix('#')? {
        "" => Some(""),
        rest => rest.strip_prefix(' '),
    }
}

/// Lines however they end, as Python reads its programs.
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = self.0.split_once('\n').unwrap_or((self.0, ""));
        self.0 = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

#[cfg(test)]
mod tests;
