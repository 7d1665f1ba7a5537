//! The part of Firecracker's API description that this crate uses (`api.json`), and a check of
//! bodies against it: stricter than JSON schema, for a field that is not described is an error here.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// `api.json`.
#[derive(Deserialize)]
pub struct Description {
    pub operations: Vec<Operation>,
    definitions: Map<String, Value>,
}

/// A method of a path.
#[derive(Deserialize)]
pub struct Operation {
    pub method: String,
    pub path: String,
    body: Option<String>,
    /// Status or `default` → the answer's definition.
    pub answers: BTreeMap<String, Option<String>>,
}

impl Description {
    pub fn read() -> Self {
        serde_json::from_str(include_str!("api.json")).unwrap()
    }

    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let fits = |pattern: &str| {
            let (pattern, path) = (pattern.split('/'), path.split('/'));
            pattern.clone().count() == path.clone().count()
                && pattern
                    .zip(path)
                    .all(|(p, seen)| p == seen || (p.starts_with('{') && !seen.is_empty()))
        };
        self.operations
            .iter()
            .find(|operation| operation.method == method && fits(&operation.path))
    }

    /// What is wrong with a request; empty when nothing is.
    pub fn faults(&self, method: &str, path: &str, body: &Value) -> Vec<String> {
        match self.operation(method, path) {
            None => vec![format!("{method} {path} is not described")],
            Some(Operation { body: None, .. }) if body.is_null() => Vec::new(),
            Some(Operation { body: None, .. }) => vec![format!("{path} takes no body")],
            Some(Operation {
                body: Some(name), ..
            }) => self.check(&json!({ "$ref": name }), body, name),
        }
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        if let Some(name) = schema["$ref"].as_str() {
            return self.check(&self.definitions[name], value, at);
        }
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            other => panic!("the description has a type {other:?}"),
        };
        if !fits {
            return vec![format!("{at} is {value}, not a {}", schema["type"])];
        }
        let mut faults = Vec::new();
        if schema["enum"]
            .as_array()
            .is_some_and(|all| !all.contains(value))
        {
            faults.push(format!("{at} is {value}, none of {}", schema["enum"]));
        }
        let number = |name: &str| schema[name].as_i64();
        if let Some(seen) = value.as_i64()
            && (number("minimum").is_some_and(|least| seen < least)
                || number("maximum").is_some_and(|most| seen > most))
        {
            faults.push(format!("{at} is {value}, out of bounds"));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                faults.push(format!("{at} lacks {name}"));
            }
        }
        for (name, inner) in value.as_object().into_iter().flatten() {
            match schema["properties"].get(name) {
                Some(schema) => faults.extend(self.check(schema, inner, &format!("{at}.{name}"))),
                None => faults.push(format!("{at}.{name} is not described")),
            }
        }
        faults
    }
}

#[test]
fn the_check_finds_each_kind_of_fault() {
    let description = Description::read();
    let good = json!({"guest_cid": 3, "uds_path": "v.sock"});
    assert!(description.faults("PUT", "/vsock", &good).is_empty());
    for (path, body, word) in [
        ("/vsock", json!({"guest_cid": 3}), "lacks"),
        ("/vsock", json!({"guest_cid": 2, "uds_path": "v"}), "bounds"),
        (
            "/vsock",
            json!({"guest_cid": "3", "uds_path": "v"}),
            "not a",
        ),
        (
            "/vsock",
            json!({"guest_cid": 3, "uds_path": "v", "x": 1}),
            "not described",
        ),
        ("/actions", json!({"action_type": "Reboot"}), "none of"),
        (
            "/entropy",
            json!({"rate_limiter": {"ops": {"size": 1}}}),
            "lacks",
        ),
        ("/mmds", json!({}), "not described"),
        ("/drives/", json!({}), "not described"),
    ] {
        let faults = description.faults("PUT", path, &body);
        assert!(
            faults.iter().any(|f| f.contains(word)),
            "{path} {body}: {faults:?}"
        );
    }
}
