//! The types of bodies.

use super::{escape, markdown};
use serde_json::Value;
use std::fmt::Write as _;

/// The description of the API.
#[derive(Debug, Clone, Copy)]
pub struct Api<'a>(pub &'a Value);

impl<'a> Api<'a> {
    /// The example of a type that has one, or of the type that it is another name of.
    pub fn example(&self, schema: &Value) -> Option<&'a Value> {
        let named = &self.0["components"]["schemas"][name_of(schema)?];
        match &named["example"] {
            Value::Null => self.example(named),
            example => Some(example),
        }
    }

    /// Every type, by its name.
    pub fn types(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let schemas = self.0["components"]["schemas"].as_object();
        schemas.into_iter().flatten()
    }
}

/// A list; empty where there is none.
pub fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// One type with its fields.
pub fn section(out: &mut String, name: &str, schema: &Value) {
    let _ = write!(
        out,
        "<section class=type id='type-{0}'><h3><a href='#type-{0}'><code>{0}</code></a></h3>{1}",
        escape(name),
        markdown::blocks(schema["description"].as_str().unwrap_or_default())
    );
    if let Some(properties) = schema["properties"].as_object() {
        let required = array(&schema["required"]);
        out.push_str("<dl>");
        for (name, property) in properties {
            let must = required.iter().any(|own| own == name);
            let _ = write!(
                out,
                "<dt><code>{}</code> <small>{}{}</small></dt><dd>{}</dd>",
                escape(name),
                type_link(property),
                if must { ", always there" } else { "" },
                markdown::line(property["description"].as_str().unwrap_or_default())
            );
        }
        out.push_str("</dl>");
    }
    out.push_str("</section>");
}

/// A schema in a few words, its type linked.
pub fn type_link(schema: &Value) -> String {
    if let Some(name) = name_of(schema) {
        return format!("<a href='#type-{0}'>{0}</a>", escape(name));
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let links: Vec<String> = options.iter().map(type_link).collect();
        return links.join(" or ");
    }
    if schema["items"].is_object() {
        return match schema["items"]["format"] == "int32" {
            // As bytes are described.
            true => "bytes".to_owned(),
            false => format!("list of {}", type_link(&schema["items"])),
        };
    }
    match &schema["type"] {
        Value::Array(types) => {
            let names = types.iter().filter_map(Value::as_str).map(escape);
            names.collect::<Vec<_>>().join(" or ")
        }
        Value::String(name) => escape(name),
        _ => "anything".to_owned(),
    }
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}
