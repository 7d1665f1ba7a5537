//! Schemas that every client takes. Many hand a tool's schema to a model's provider whose dialect has one type a value and
//! no formats but its own; what they cannot map they drop, and the model never sees the tool.

use rmcp::model::JsonObject;
use serde_json::Value;

/// The same schema without what is less portable. An argument that is not required may be absent; that it may be null,
/// too, is nothing that a client needs to know.
pub fn portable(schema: &JsonObject) -> JsonObject {
    let fields = schema.iter();
    let kept = fields.filter(|(name, value)| !(*name == "format" && value.is_string()));
    kept.map(|(name, value)| (name.clone(), part(name, value)))
        .collect()
}

fn part(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(schema) => Value::Object(portable(schema)),
        Value::Array(types) if name == "type" => one_type(types),
        Value::Array(parts) => parts.iter().map(|value| part("", value)).collect(),
        other => other.clone(),
    }
}

/// The one type besides `null`, where there is one.
fn one_type(types: &[Value]) -> Value {
    let others: Vec<&Value> = types.iter().filter(|value| *value != "null").collect();
    match others.as_slice() {
        [only] => (*only).clone(),
        _ => types.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::offer::Offer;
    use crate::mcp::tools::definitions;
    use serde_json::json;

    #[test]
    fn what_may_be_absent_has_one_type_and_no_number_a_format() {
        let schema = json!({
            "type": "object",
            "properties": {
                "format": {"type": ["string", "null"], "description": "a field of that name stays"},
                "size": {"type": "integer", "format": "uint64", "minimum": 0},
                "list": {"type": ["array", "null"], "items": {"type": ["number", "null"], "format": "double"}},
                "any": {"anyOf": [{"type": ["string", "null"]}, {"type": ["string", "integer"]}]},
            },
        });
        let portable = portable(schema.as_object().unwrap());
        let wanted = json!({
            "type": "object",
            "properties": {
                "format": {"type": "string", "description": "a field of that name stays"},
                "size": {"type": "integer", "minimum": 0},
                "list": {"type": "array", "items": {"type": "number"}},
                "any": {"anyOf": [{"type": "string"}, {"type": ["string", "integer"]}]},
            },
        });
        assert_eq!(Value::Object(portable), wanted);
    }

    #[test]
    fn no_tool_has_a_null_in_its_schemas() {
        let text = serde_json::to_string(&definitions(&Offer::default())).unwrap();
        assert!(
            !text.contains("\"null\"") && !text.contains("uint"),
            "{text}"
        );
    }
}
