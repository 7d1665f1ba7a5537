//! Reads a configuration by the table of settings. All faults are told at once, each with its line.

mod shape;

use super::Settings;
use super::table::{joined, schema};
use crate::context::languages::LanguagesConfig;
use anyhow::Context as _;
use protocol::language::Language;
use serde::Deserialize as _;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde_json::Value;
use shape::{inner_schema, is_table, is_torn, missing, unknown, wrong_items, wrong_value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

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

/// What a configuration says: what of it can be used, with the defaults for the rest, and all that cannot.
#[derive(Debug)]
pub struct Read {
    /// What can be used.
    pub settings: Settings,
    /// Where it stands.
    pub lines: Lines,
    /// In the order of their lines.
    pub faults: Vec<Fault>,
}

/// Reads a configuration; `load` adds the operator's languages, which the rest may name.
pub fn read(
    text: &str,
    load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>,
) -> Result<(Settings, Lines), Vec<Fault>> {
    let read = read_all(text, load);
    match read.faults.is_empty() {
        true => Ok((read.settings, read.lines)),
        false => Err(read.faults),
    }
}

/// The same as far as it goes: one fault hides no other.
pub fn read_all(text: &str, load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>) -> Read {
    let mut seen = Seen {
        source: Source { text },
        faults: Vec::new(),
        lines: BTreeMap::new(),
    };
    let mut root = match DeTable::parse(text) {
        Ok(root) => root,
        Err(error) => {
            seen.faults.push(seen.source.fault("", &error));
            Spanned::new(0..0, DeTable::new())
        }
    };
    let pools = seen.pool_names(root.get_ref());
    seen.table("", root.get_mut(), &schema());
    let languages = seen.section::<LanguagesConfig>(&mut root, "languages");
    // What the languages are decides what pools may be called.
    if let Err(error) = load(&languages) {
        let line = seen.lines.get("languages.folder").copied();
        seen.faults.push(Fault {
            line,
            text: format!("{error:#}"),
        });
    }
    seen.pools(&pools, root.get_mut());
    let settings = Settings {
        languages,
        server: seen.section(&mut root, "server"),
        audit: seen.section(&mut root, "audit"),
        telemetry: seen.section(&mut root, "telemetry"),
        sandbox: {
            let span = root.span();
            seen.value("", Spanned::new(span, DeValue::Table(root.into_inner())))
        },
    };
    seen.faults.sort_by_key(|fault| fault.line);
    Read {
        settings,
        lines: Lines(seen.lines),
        faults: seen.faults,
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

    /// What serde, or the parser, says of this setting.
    fn fault(&self, name: &str, error: &toml::de::Error) -> Fault {
        let text = error.message().trim_end().replace('\n', ": ");
        Fault {
            line: error.span().map(|span| self.line(&span)),
            text: match name {
                "" => text,
                name => format!("{name}: {text}"),
            },
        }
    }
}

struct Seen<'a> {
    source: Source<'a>,
    faults: Vec<Fault>,
    lines: BTreeMap<String, usize>,
}

impl Seen<'_> {
    /// Takes out of a table what its schema does not allow, and tells each.
    fn table(&mut self, name: &str, table: &mut DeTable<'_>, schema: &Value) {
        let mut wrong = Vec::new();
        for (key, value) in table.iter_mut() {
            let whole = joined(name, key.get_ref());
            let line = self.source.line(&key.span());
            let inner = inner_schema(schema, key.get_ref());
            let found = match inner {
                None => vec![(line, unknown(&whole, schema))],
                Some(inner) => self.entry(whole, value, (line, inner)),
            };
            // What it must have may have been taken out of it.
            if !found.is_empty() || inner.is_some_and(|inner| is_torn(value.get_ref(), inner)) {
                wrong.push(key.get_ref().to_string());
            }
            for (line, text) in found {
                let line = Some(line);
                self.faults.push(Fault { line, text });
            }
        }
        for key in wrong {
            table.remove(key.as_str());
        }
    }

    /// What is wrong with a setting, or with what a table lacks; what is wrong inside of a table is told by itself.
    fn entry(
        &mut self,
        name: String,
        value: &mut Spanned<DeValue<'_>>,
        (line, schema): (usize, &Value),
    ) -> Vec<(usize, String)> {
        if let DeValue::Table(table) = value.get_mut()
            && is_table(schema)
        {
            let lacks = missing(&name, table, schema);
            self.table(&name, table, schema);
            return lacks.map(|text| (line, text)).into_iter().collect();
        }
        self.lines.insert(name.clone(), line);
        let wrong = wrong_value(&name, value.get_ref(), schema);
        let wrong: Vec<_> = wrong.map(|text| (line, text)).into_iter().collect();
        match value.get_ref() {
            DeValue::Array(items) if wrong.is_empty() => {
                let told = wrong_items(&name, items, schema).into_iter();
                told.map(|(span, text)| (self.source.line(&span), text))
                    .collect()
            }
            _ => wrong,
        }
    }

    /// What is wrong with the names of pools. One language under two would be one pool: which, nobody said.
    fn pools(&mut self, names: &[(String, usize)], root: &mut DeTable<'_>) {
        let mut first: BTreeMap<String, &str> = BTreeMap::new();
        for (name, line) in names {
            let text = match Language::deserialize(name.as_str().into_deserializer()) {
                Err::<_, serde::de::value::Error>(error) => format!("pool.{name}: {error}"),
                Ok(language) => match first.insert(language.label(), name) {
                    Some(other) => {
                        format!("pool.{name} and pool.{other} are pools of one language; keep one")
                    }
                    None => continue,
                },
            };
            let line = Some(*line);
            self.faults.push(Fault { line, text });
            if let Some(DeValue::Table(pools)) = root.get_mut("pool").map(Spanned::get_mut) {
                pools.remove(name.as_str());
            }
        }
    }

    /// The names of pools as they are written.
    fn pool_names(&self, root: &DeTable<'_>) -> Vec<(String, usize)> {
        let Some(DeValue::Table(pools)) = root.get("pool").map(Spanned::get_ref) else {
            return Vec::new();
        };
        let written = |key: &Spanned<Cow<'_, str>>| {
            (key.get_ref().to_string(), self.source.line(&key.span()))
        };
        pools.keys().map(written).collect()
    }

    fn section<T: DeserializeOwned + Default>(
        &mut self,
        root: &mut Spanned<DeTable<'_>>,
        name: &str,
    ) -> T {
        let table = root.get_mut().remove(name);
        table
            .map(|table| self.value(name, table))
            .unwrap_or_default()
    }

    /// Reads a table. What serde refuses is told and taken out, and the rest is read anew.
    fn value<T: DeserializeOwned + Default>(
        &mut self,
        name: &str,
        mut value: Spanned<DeValue<'_>>,
    ) -> T {
        loop {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(read) => return read,
                Err(error) => error,
            };
            let span = error.span();
            let taken = span.and_then(|span| take_out(value.get_mut(), span.start));
            let whole = taken.iter().flatten().rev();
            let whole = whole.fold(name.to_owned(), |table, key| joined(&table, key));
            self.faults.push(self.source.fault(&whole, &error));
            if taken.is_none() {
                return T::default();
            }
        }
    }
}

/// Takes out the innermost entry that stands here; its keys from the innermost to the outermost.
fn take_out(value: &mut DeValue<'_>, at: usize) -> Option<Vec<String>> {
    let DeValue::Table(table) = value else {
        return None;
    };
    for (key, inner) in table.iter_mut() {
        if let Some(mut keys) = take_out(inner.get_mut(), at) {
            keys.push(key.get_ref().to_string());
            return Some(keys);
        }
    }
    let stands_here = |(key, inner): &(&Spanned<_>, &Spanned<_>)| {
        key.span().contains(&at) || inner.span().contains(&at)
    };
    let key: String = table.iter().find(stands_here)?.0.get_ref().to_string();
    table.remove(key.as_str());
    Some(vec![key])
}

/// The same of a file.
pub fn read_file(
    path: &Path,
    load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>,
) -> anyhow::Result<(Settings, Lines)> {
    let text = text_of(path)?;
    let faults = |faults| Faults {
        path: path.to_owned(),
        faults,
    };
    Ok(read(&text, load).map_err(faults)?)
}

/// The same of a file, as far as it goes.
pub fn read_all_of_file(
    path: &Path,
    load: impl FnOnce(&LanguagesConfig) -> anyhow::Result<()>,
) -> anyhow::Result<Read> {
    Ok(read_all(&text_of(path)?, load))
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("configuration {} cannot be read", path.display()))
}

#[cfg(test)]
mod tests;
