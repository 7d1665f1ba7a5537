//! The settings in force, and where each comes from.

use super::Settings;
use super::file::Lines;
use super::table::{ANY_NAME, Setting, joined, settings};
use crate::args::Given;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What stands in a secret's place.
const REDACTED: &str = "…";

/// One setting as it is in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InForce {
    /// With its tables, and the names that the operator chose.
    pub name: String,
    /// Its value; `null`: not set. Passwords in URLs are left out.
    pub value: Value,
    /// `default`, `FILE:LINE`, a variable's name or a flag.
    pub origin: String,
}

/// What settings come from besides their defaults.
pub struct Sources<'a> {
    /// The configuration, where there is one, and the lines of its settings.
    pub file: Option<(&'a Path, &'a Lines)>,
    /// What flags and variables gave.
    pub given: &'a BTreeMap<&'static str, Given>,
}

/// All settings in force, in the table's order.
pub fn in_force(in_use: &Settings, sources: &Sources<'_>) -> Vec<InForce> {
    let values = serde_json::to_value(in_use).unwrap_or_default();
    let mut all = Vec::new();
    for row in settings() {
        for (name, value) in named(&row, &values) {
            let origin = sources.of(&name);
            all.push(InForce {
                value: redacted(value),
                name,
                origin,
            });
        }
    }
    all
}

/// Each setting's value by its name, secrets and all: for comparing two states.
pub fn values(in_use: &Settings) -> BTreeMap<String, Value> {
    let values = serde_json::to_value(in_use).unwrap_or_default();
    settings()
        .iter()
        .flat_map(|row| named(row, &values))
        .collect()
}

/// The settings that a row of the table stands for: one, or one for each name that the operator chose.
fn named(row: &Setting, values: &Value) -> Vec<(String, Value)> {
    let mut places = vec![(String::new(), Some(values))];
    for part in row.name.split('.') {
        let mut next = Vec::new();
        for (name, value) in places {
            match (part, value.and_then(Value::as_object)) {
                (ANY_NAME, entries) => {
                    let entries = entries.into_iter().flatten();
                    next.extend(entries.map(|(key, value)| (joined(&name, key), Some(value))));
                }
                (part, entries) => {
                    let value = entries.and_then(|entries| entries.get(part));
                    next.push((joined(&name, part), value));
                }
            }
        }
        places = next;
    }
    let or_null =
        |(name, value): (String, Option<&Value>)| (name, value.cloned().unwrap_or_default());
    places.into_iter().map(or_null).collect()
}

impl Sources<'_> {
    fn of(&self, name: &str) -> String {
        match self.given.get(name) {
            Some(Given::Flag(flag)) => return flag.clone(),
            Some(Given::Variable(variable)) => return variable.clone(),
            None => {}
        }
        let in_file = self
            .file
            .and_then(|(path, lines)| Some((path, lines.of(name)?)));
        match in_file {
            Some((path, line)) => format!("{}:{line}", path.display()),
            None => "default".into(),
        }
    }
}

/// The value without what stands before the `@` of a URL.
fn redacted(value: Value) -> Value {
    let Value::String(text) = value else {
        return value;
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return Value::String(text);
    };
    let host_ends = rest.find('/').unwrap_or(rest.len());
    match rest.get(..host_ends).and_then(|host| host.rfind('@')) {
        Some(at) => Value::String(format!("{scheme}://{REDACTED}{}", &rest[at..])),
        None => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        for (value, shown) in [
            ("https://me:secret@host/x@y", "https://…@host/x@y"),
            ("https://host/a@b", "https://host/a@b"),
            ("T2", "T2"),
        ] {
            assert_eq!(redacted(value.into()), Value::from(shown));
        }
    }
}
