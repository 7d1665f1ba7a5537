//! What the table of settings allows a value to be, and what is said of one that it does not.

use crate::settings::table::{any_property, kind, present, properties, words};
use serde_json::{Map, Value};
use std::ops::Range;
use toml::de::{DeArray, DeTable, DeValue};

/// Settings that have moved: the old name, and where it is now.
const MOVED: &[(&str, &str)] = &[
    ("vmm.accelerator", "accelerator in [engine]"),
    ("vmm.state_dir", "state_dir, above all tables"),
    ("server.queued", "queued in [admission]"),
];

/// Whether this is a table of settings.
pub fn is_table(schema: &Value) -> bool {
    properties(schema).is_some() || any_property(schema).is_some()
}

/// The schema of what has this name in a table.
pub fn inner_schema<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let Some(properties) = properties(schema) else {
        return any_property(schema);
    };
    let by_alias = |(_, inner): &(&String, &Value)| inner.get("x-alias").is_some_and(|a| a == key);
    let aliased = || properties.iter().find(by_alias).map(|(_, inner)| inner);
    properties.get(key).or_else(aliased)
}

/// What is said of a name that is no setting.
pub fn unknown(name: &str, schema: &Value) -> String {
    if let Some((_, home)) = MOVED.iter().find(|(old, _)| *old == name) {
        return format!("{name} has no effect; set {home}");
    }
    let none = Map::new();
    let known = properties(schema).unwrap_or(&none);
    let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
    let meant = meant(key, known.keys().map(String::as_str));
    let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
    names.sort_unstable();
    let names = names.join(", ");
    match table {
        "" => format!("{name} is no setting; {meant}there are: {names}"),
        table => format!("{name} is no setting; {meant}[{table}] has: {names}"),
    }
}

/// What is said of a table that lacks what it must have.
pub fn missing(name: &str, table: &DeTable<'_>, schema: &Value) -> Option<String> {
    let required = present(schema).get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    let lacks: Vec<String> = required
        .filter(|key| !table.contains_key(*key))
        .map(|key| format!("'{key}'"))
        .collect();
    let lacks = (!lacks.is_empty()).then(|| lacks.join(" and "))?;
    Some(format!("[{name}] lacks {lacks}; add it"))
}

/// Whether it is a table without what it must have.
pub fn is_torn(value: &DeValue<'_>, schema: &Value) -> bool {
    match value {
        DeValue::Table(table) => missing("", table, schema).is_some(),
        _ => false,
    }
}

/// What is said of a value that its schema does not allow; of what has a form of its own serde tells.
pub fn wrong_value(name: &str, value: &DeValue<'_>, schema: &Value) -> Option<String> {
    wrong_type(name, value, schema)
        .or_else(|| wrong_word(name, value, schema))
        .or_else(|| out_of_bounds(name, value, schema))
}

/// What is said of the entries of a list, and where each stands.
pub fn wrong_items(name: &str, items: &DeArray<'_>, schema: &Value) -> Vec<(Range<usize>, String)> {
    let forms = forms(schema);
    let Some(of_one) = forms.iter().find_map(|form| form.get("items")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let name = format!("{name}, entry {}", place + 1);
        let mut tell = |span, text| found.push((span, text));
        match (item.get_ref(), properties(of_one)) {
            (DeValue::Table(table), Some(known)) => {
                for key in table
                    .keys()
                    .filter(|key| !known.contains_key(&**key.get_ref()))
                {
                    let meant = meant(key.get_ref(), known.keys().map(String::as_str));
                    let text = format!(
                        "{name}: {} is unknown; {meant}it is {}",
                        key.get_ref(),
                        kind(of_one)
                    );
                    tell(key.span(), text);
                }
                if let Some(text) = missing(&name, table, of_one) {
                    tell(item.span(), text);
                }
            }
            (value, Some(_)) => {
                let text = format!("{name} is {}, wanted is {}", seen(value), kind(of_one));
                tell(item.span(), text);
            }
            (value, None) => {
                if let Some(text) = wrong_type(&name, value, of_one) {
                    tell(item.span(), text);
                }
            }
        }
    }
    found
}

/// The forms that a value may have: one, or one of several.
fn forms(schema: &Value) -> Vec<&Value> {
    let schema = present(schema);
    let either = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    match either.and_then(Value::as_array) {
        Some(halves) => halves.iter().collect(),
        None => vec![schema],
    }
}

fn wrong_type(name: &str, value: &DeValue<'_>, schema: &Value) -> Option<String> {
    let mut allowed: Vec<&str> = Vec::new();
    for form in forms(schema) {
        match form.get("type")? {
            Value::Array(kinds) => allowed.extend(kinds.iter().filter_map(Value::as_str)),
            kind => allowed.extend(kind.as_str()),
        }
    }
    let fits: &[&str] = match value {
        DeValue::Integer(_) => &["integer", "number"],
        DeValue::Float(_) => &["number"],
        DeValue::Boolean(_) => &["boolean"],
        DeValue::Array(_) => &["array"],
        // Older configurations write a time as a table.
        DeValue::Table(table) if table.contains_key("secs") => &["object", "number"],
        DeValue::Table(_) => &["object"],
        DeValue::String(_) => &["string"],
        DeValue::Datetime(_) => &[],
    };
    if allowed.iter().any(|kind| fits.contains(kind)) {
        return None;
    }
    let (seen, kind) = (seen(value), kind(schema));
    Some(format!("{name} is {seen}, wanted is {kind}"))
}

/// What a value is, in the words of the table of settings.
fn seen(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => format!("the integer {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Datetime(_) => "a date".into(),
    }
}

fn wrong_word(name: &str, value: &DeValue<'_>, schema: &Value) -> Option<String> {
    let (DeValue::String(text), Some(words)) = (value, words(schema)) else {
        return None;
    };
    if words.contains(&&**text) {
        return None;
    }
    let meant = meant(text, words.iter().copied());
    let words = words.join(", ");
    Some(format!("{name} is {text:?}; {meant}it is one of: {words}"))
}

/// What somebody may have meant, as a question; nothing where nothing is alike.
fn meant<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    match languages::closest(wrong, known) {
        Some(candidate) => format!("did you mean {candidate}? "),
        None => String::new(),
    }
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
    // What the number is kept in is a bound, too.
    let holds = match present(schema).get("format").and_then(Value::as_str) {
        Some("uint16") => Some(f64::from(u16::MAX)),
        Some("uint32") => Some(f64::from(u32::MAX)),
        _ => None,
    };
    let least = bound("minimum");
    // It is told to who went beyond it.
    let holds = holds.filter(|most| number > *most);
    let most = bound("maximum").or(holds);
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
