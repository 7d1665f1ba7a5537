//! Reads a configuration by the table of settings. All faults are told at once, each with its line.

use super::Settings;
use super::table::{any_property, joined, kind, present, properties, schema};
use crate::context::languages::LanguagesConfig;
use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// Settings that have moved: the old name, and where it is now.
const MOVED: &[(&str, &str)] = &[
    ("vmm.accelerator", "accelerator in [engine]"),
    ("vmm.state_dir", "state_dir, above all tables"),
    ("server.queued", "queued in [admission]"),
];

/// How alike a name must be for it to be what somebody meant.
const ALIKE: f64 = 0.7;

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; absent: no line of the file says it.
    pub line: Option<usize>,
    /// What is wrong and what to do, in one sentence.
    pub text: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub struct Faults {
    /// The file.
    pub path: PathBuf,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration {} is not valid", self.path.display())?;
        for Fault { line, text } in &self.faults {
            match line {
                Some(line) => write!(f, "\n  line {line}: {text}")?,
                None => write!(f, "\n  {text}")?,
            }
        }
        Ok(())
    }
}

/// On which line each setting stands that the file has.
#[derive(Debug, Clone, Default)]
pub struct Lines(BTreeMap<String, usize>);

impl Lines {
    /// The line of this setting, or of the first that stands in this table.
    pub fn of(&self, name: &str) -> Option<usize> {
        let inside = format!("{name}.");
        let own = self.0.get(name).copied();
        own.or_else(|| {
            let mut from = self.0.range(inside.clone()..);
            let (first, line) = from.next()?;
            first.starts_with(&inside).then_some(*line)
        })
    }
}

/// Reads a configuration; `load` adds the operator's languages, which the rest may name.
pub fn read(
    text: &str,
    load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>,
) -> Result<(Settings, Lines), Vec<Fault>> {
    let source = Source { text };
    let root = DeTable::parse(text).map_err(|error| vec![source.fault(&error)])?;
    let mut seen = Seen {
        source,
        faults: Vec::new(),
        lines: BTreeMap::new(),
    };
    seen.table("", root.get_ref(), &schema());
    let mut root = root;
    let languages = seen.section::<LanguagesConfig>(&mut root, "languages");
    // What the languages are decides what pools may be called.
    if let Err(error) = load(&languages) {
        let line = seen.lines.get("languages.folder").copied();
        seen.faults.push(Fault {
            line,
            text: format!("{error:#}"),
        });
    }
    let settings = Settings {
        languages,
        server: seen.section(&mut root, "server"),
        audit: seen.section(&mut root, "audit"),
        telemetry: seen.section(&mut root, "telemetry"),
        sandbox: {
            let span = root.span();
            seen.value(Spanned::new(span, DeValue::Table(root.into_inner())))
        },
    };
    match seen.faults.is_empty() {
        true => Ok((settings, Lines(seen.lines))),
        false => Err(seen.in_order()),
    }
}

struct Source<'a> {
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    fn fault(&self, error: &toml::de::Error) -> Fault {
        Fault {
            line: error.span().map(|span| self.line(&span)),
            text: error.message().trim_end().replace('\n', ": "),
        }
    }
}

struct Seen<'a> {
    source: Source<'a>,
    faults: Vec<Fault>,
    lines: BTreeMap<String, usize>,
}

impl Seen<'_> {
    /// Looks through a table for names that are no settings and for numbers out of their bounds.
    fn table(&mut self, name: &str, table: &DeTable<'_>, schema: &Value) {
        for (key, value) in table {
            let whole = joined(name, key.get_ref());
            let line = self.source.line(&key.span());
            let Some(inner) = inner_schema(schema, key.get_ref()) else {
                let text = unknown(&whole, schema);
                self.found(line, text);
                continue;
            };
            match value.get_ref() {
                DeValue::Table(table) if is_table(inner) => self.table(&whole, table, inner),
                value => {
                    let wrong = wrong_type(&whole, value, inner);
                    if let Some(text) = wrong.or_else(|| out_of_bounds(&whole, value, inner)) {
                        self.found(line, text);
                    }
                    self.lines.insert(whole, line);
                }
            }
        }
    }

    fn found(&mut self, line: usize, text: String) {
        let line = Some(line);
        self.faults.push(Fault { line, text });
    }

    fn section<T: DeserializeOwned + Default>(
        &mut self,
        root: &mut Spanned<DeTable<'_>>,
        name: &str,
    ) -> T {
        let table = root.get_mut().remove(name);
        table.map(|table| self.value(table)).unwrap_or_default()
    }

    fn value<T: DeserializeOwned + Default>(&mut self, value: Spanned<DeValue<'_>>) -> T {
        let read = T::deserialize(ValueDeserializer::from(value));
        read.unwrap_or_else(|error| {
            let fault = self.source.fault(&error);
            // A name that is unknown was told with its advice already.
            let told = self.faults.iter().any(|told| told.line == fault.line);
            if !told {
                let setting = self
                    .lines
                    .iter()
                    .find(|(_, line)| Some(**line) == fault.line);
                let text = match setting {
                    Some((name, _)) => format!("{name}: {}", fault.text),
                    None => fault.text,
                };
                self.faults.push(Fault { text, ..fault });
            }
            T::default()
        })
    }

    fn in_order(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| fault.line);
        self.faults
    }
}

fn is_table(schema: &Value) -> bool {
    properties(schema).is_some() || any_property(schema).is_some()
}

fn inner_schema<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let Some(properties) = properties(schema) else {
        return any_property(schema);
    };
    let by_alias = |(_, inner): &(&String, &Value)| inner.get("x-alias").is_some_and(|a| a == key);
    let aliased = || properties.iter().find(by_alias).map(|(_, inner)| inner);
    properties.get(key).or_else(aliased)
}

/// What is said of a name that is no setting.
fn unknown(name: &str, schema: &Value) -> String {
    if let Some((_, home)) = MOVED.iter().find(|(old, _)| *old == name) {
        return format!("{name} has no effect; set {home}");
    }
    let none = Map::new();
    let known = properties(schema).unwrap_or(&none);
    let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
    let close = known
        .keys()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let meant = match close {
        Some((_, candidate)) => format!("did you mean {candidate}? "),
        None => String::new(),
    };
    let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
    names.sort_unstable();
    let names = names.join(", ");
    match table {
        "" => format!("{name} is no setting; {meant}there are: {names}"),
        table => format!("{name} is no setting; {meant}[{table}] has: {names}"),
    }
}

/// What is said of a value of another type; of what is one of several, or has a form of its own, serde tells.
fn wrong_type(name: &str, value: &DeValue<'_>, schema: &Value) -> Option<String> {
    let allowed: Vec<&str> = match schema.get("type")? {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let fits: &[&str] = match value {
        DeValue::Integer(_) => &["integer", "number"],
        DeValue::Float(_) => &["number"],
        DeValue::Boolean(_) => &["boolean"],
        DeValue::Array(_) => &["array"],
        DeValue::Table(_) => return None,
        DeValue::String(_) | DeValue::Datetime(_) => &["string"],
    };
    if allowed.iter().any(|kind| fits.contains(kind)) {
        return None;
    }
    let seen = value.type_str();
    Some(format!(
        "{name} is of type {seen}, wanted is {}",
        kind(schema)
    ))
}

fn out_of_bounds(name: &str, value: &DeValue<'_>, schema: &Value) -> Option<String> {
    let number: f64 = match value {
        DeValue::Integer(integer) => {
            i128::from_str_radix(integer.as_str(), integer.radix()).ok()? as f64
        }
        DeValue::Float(float) => float.as_str().parse().ok()?,
        _ => return None,
    };
    let bound = |key: &str| present(schema).get(key).and_then(Value::as_f64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let fits = least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most);
    if fits {
        return None;
    }
    let allowed = match (least, most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        (None, Some(most)) => format!("{most} or less"),
        (None, None) => return None,
    };
    Some(format!("{name} is {number}, allowed is {allowed}"))
}

/// The same of a file.
pub fn read_file(
    path: &Path,
    load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>,
) -> anyhow::Result<(Settings, Lines)> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("configuration {} cannot be read", path.display()))?;
    let faults = |faults| Faults {
        path: path.to_owned(),
        faults,
    };
    Ok(read(&text, load).map_err(faults)?)
}

#[cfg(test)]
mod tests;
