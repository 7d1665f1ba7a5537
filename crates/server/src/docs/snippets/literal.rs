//! A body in a language's own words.

use serde_json::Value;

/// Columns that a value may take on one line.
const ONE_LINE: usize = 44;

/// How a language writes `true`, `false` and nothing.
pub type Words = [&'static str; 3];
/// JSON's and JavaScript's.
pub const JSON: Words = ["true", "false", "null"];
/// Python's.
pub const PYTHON: Words = ["True", "False", "None"];

/// A value in a language's own words: on one line where it fits, else by lines that stand `indent` deep.
pub fn literal(value: &Value, words: Words, indent: usize) -> String {
    let line = flat(value, words);
    let inside = " ".repeat(indent * 2);
    match value {
        Value::Object(fields) if line.len() > ONE_LINE => {
            let lines = fields.iter().map(|(name, value)| {
                let name = Value::from(name.as_str());
                format!("{inside}{name}: {}", flat(value, words))
            });
            let lines: Vec<String> = lines.collect();
            format!("{{\n{}\n{}}}", lines.join(",\n"), " ".repeat(indent))
        }
        _ => line,
    }
}

fn flat(value: &Value, words: Words) -> String {
    let listed = |items: Vec<String>| items.join(", ");
    match value {
        Value::Bool(true) => words[0].to_owned(),
        Value::Bool(false) => words[1].to_owned(),
        Value::Null => words[2].to_owned(),
        Value::Array(items) => {
            format!(
                "[{}]",
                listed(items.iter().map(|item| flat(item, words)).collect())
            )
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                format!("{}: {}", Value::from(name.as_str()), flat(value, words))
            });
            format!("{{{}}}", listed(fields.collect()))
        }
        other => other.to_string(),
    }
}
