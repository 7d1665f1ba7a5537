//! The table of settings. It is made from the types that a configuration is read into, so it cannot name another one,
//! nor miss one: meanings are their fields' comments, defaults are theirs.

use super::Settings;
use crate::args::Global;
use crate::context::languages::LanguagesConfig;
use crate::telemetry::TelemetryConfig;
use audit::AuditConfig;
use sandbox::config::Config;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value};
use server::ServerConfig;

/// Stands in a setting's name for what the operator calls it: a language or an image.
pub const ANY_NAME: &str = "NAME";

/// What a running service cannot take though the section around it can: VMs that wait in the pool have them.
const AT_START: &[&str] = &["limits.defaults.memory_mib", "limits.defaults.vcpus"];

/// One thing that can be set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// With its tables: `server.http.body_bytes`.
    pub name: String,
    /// What its value is.
    #[serde(rename = "type")]
    pub kind: String,
    /// What a number counts.
    pub unit: Option<String>,
    /// What it is when nothing is said; `null`: not set.
    pub default: Value,
    /// It must be given where its table is there.
    pub required: bool,
    /// The least that it may be.
    pub least: Option<Value>,
    /// The most that it may be.
    pub most: Option<Value>,
    /// What it does.
    pub meaning: String,
    /// A running service takes a change, on SIGHUP.
    pub reload: bool,
    /// The variable that wins over the configuration.
    pub variable: Option<String>,
    /// The flag that wins over both.
    pub flag: Option<String>,
}

/// All of them, in the order of their names.
pub fn settings() -> Vec<Setting> {
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut rows = Vec::new();
    let start = Walk {
        name: String::new(),
        default: Some(&defaults),
        reload: false,
        required: false,
    };
    start.through(&schema(), &mut rows);
    rows.sort_by(|a, b| sort_key(&a.name).cmp(&sort_key(&b.name)));
    rows
}

/// Settings above all tables come first, and those of a table before the tables in it.
fn sort_key(name: &str) -> (bool, &str, usize, &str) {
    let (table, own) = name.rsplit_once('.').unwrap_or(("", name));
    (!table.is_empty(), table, 0, own)
}

/// The schema of a whole configuration.
pub fn schema() -> Value {
    let mut whole = schema_of::<Config>();
    for (name, section) in [
        ("server", schema_of::<ServerConfig>()),
        ("audit", schema_of::<AuditConfig>()),
        ("telemetry", schema_of::<TelemetryConfig>()),
        ("languages", schema_of::<LanguagesConfig>()),
    ] {
        if let Some(properties) = whole.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(name.into(), section);
        }
    }
    whole
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// What a table's schema holds by name; `None` where it is no table.
pub fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    present(schema).get("properties")?.as_object()
}

/// The schema of each entry of a table whose keys the operator chooses.
pub fn any_property(schema: &Value) -> Option<&Value> {
    let entry = present(schema).get("additionalProperties")?;
    entry.is_object().then_some(entry)
}

/// The schema of a value that is there: of what may be absent the other half.
pub fn present(schema: &Value) -> &Value {
    let halves = schema.get("anyOf").and_then(Value::as_array);
    let is_null = |half: &&Value| half.get("type").is_some_and(|kind| kind == "null");
    match halves {
        Some(halves) if halves.iter().any(|half| is_null(&half)) => {
            halves.iter().find(|half| !is_null(half)).unwrap_or(schema)
        }
        _ => schema,
    }
}

/// A place of the schema on the way to its settings.
struct Walk<'a> {
    name: String,
    default: Option<&'a Value>,
    reload: bool,
    required: bool,
}

impl<'a> Walk<'a> {
    fn through(&self, schema: &'a Value, rows: &mut Vec<Setting>) {
        let required = present(schema).get("required").and_then(Value::as_array);
        let inner = |key: &str, schema: &'a Value| Walk {
            name: joined(&self.name, key),
            default: self
                .default
                .and_then(|default| default.get(key))
                .or_else(|| schema.get("default")),
            reload: self.reload || schema.get("x-reload").is_some(),
            required: required.is_some_and(|names| names.iter().any(|name| name == key)),
        };
        if let Some(properties) = properties(schema) {
            for (key, schema) in properties {
                inner(key, schema).through(schema, rows);
            }
        } else if let Some(schema) = any_property(schema) {
            inner(ANY_NAME, schema).through(schema, rows);
        } else {
            rows.push(self.row(schema));
        }
    }

    fn row(&self, schema: &Value) -> Setting {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let of_numbers = |key: &str| present(schema).get(key).cloned();
        let given = Global::of_setting(&self.name);
        Setting {
            kind: kind(schema),
            unit: text("x-unit").or_else(|| unit(&self.name)).map(Into::into),
            default: self.default.cloned().unwrap_or_default(),
            required: self.required,
            least: of_numbers("minimum").map(whole),
            most: of_numbers("maximum").map(whole),
            meaning: text("description").unwrap_or_default().replace('\n', " "),
            reload: self.reload && !AT_START.contains(&self.name.as_str()),
            variable: given.as_ref().and_then(|(variable, _)| variable.clone()),
            flag: given.map(|(_, flag)| flag),
            name: self.name.clone(),
        }
    }
}

/// `table.key`.
pub fn joined(table: &str, key: &str) -> String {
    match table {
        "" => key.into(),
        table => format!("{table}.{key}"),
    }
}

/// A bound without the fraction that a schema gives it.
fn whole(bound: Value) -> Value {
    match bound.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => Value::from(number as i64),
        _ => bound,
    }
}

/// What a value of this schema is, in a few words.
pub fn kind(schema: &Value) -> String {
    let schema = present(schema);
    if let Some(choices) = choices(schema) {
        return choices;
    }
    let kinds = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(kind)) => vec![kind.as_str()],
        _ => Vec::new(),
    };
    let named = |kind: &&str| match *kind {
        "integer" => "integer".to_owned(),
        "number" => "number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => list(schema),
        "object" => entry(schema),
        _ => "text".to_owned(),
    };
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|kind| **kind != "null")
        .map(named)
        .collect();
    kinds.join(" or ")
}

/// A list, with the shape of its entries where they are tables.
fn list(schema: &Value) -> String {
    match schema
        .get("items")
        .filter(|of_one| properties(of_one).is_some())
    {
        Some(of_one) => format!("list of {}", entry(of_one)),
        None => "list".into(),
    }
}

/// A table as one would write it: `{ name = text }`.
fn entry(schema: &Value) -> String {
    let Some(properties) = properties(schema) else {
        return "table".into();
    };
    let named = |(name, schema): (&String, &Value)| format!("{name} = {}", kind(schema));
    let entries: Vec<String> = properties.iter().map(named).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// The words that a value must be one of; `None` where it may be something else.
pub fn words(schema: &Value) -> Option<Vec<&str>> {
    let schema = present(schema);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let either = schema.get("oneOf").or_else(|| schema.get("anyOf"))?;
    let is_word = |half: &Value| half.get("const").is_some();
    let halves = either.as_array()?;
    let all_words = halves.iter().all(is_word);
    let texts = halves.iter().filter_map(|half| half.get("const")?.as_str());
    all_words.then(|| texts.collect())
}

/// The words that it may be, where it is one of a few; or the kinds.
fn choices(schema: &Value) -> Option<String> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<String> = words.iter().filter_map(quoted).collect();
        return Some(words.join(", "));
    }
    let either = schema.get("oneOf").or_else(|| schema.get("anyOf"))?;
    let mut found = Vec::new();
    for half in either.as_array()? {
        match half.get("const") {
            Some(word) => found.extend(quoted(word)),
            None => found.push(kind(half)),
        }
    }
    Some(found.join(", "))
}

fn quoted(word: &Value) -> Option<String> {
    word.as_str().map(|word| format!("{word:?}"))
}

/// What a number counts, by the end of its name.
fn unit(name: &str) -> Option<&'static str> {
    let ends = |end: &&(&str, &str)| name.ends_with(end.0);
    let units = [
        ("bytes_per_second", "bytes a second"),
        ("requests_per_second", "requests a second"),
        ("_seconds", "seconds"),
        ("_bytes", "bytes"),
        ("_mib", "MiB"),
        ("_days", "days"),
    ];
    units.iter().find(ends).map(|(_, unit)| *unit)
}

#[cfg(test)]
mod tests;
