//! Ordinary programs behave as on their author's machine: one table for each kind of habit, each row a program
//! and what it prints there.

mod files;
mod piston;
mod streams;
mod world;

use crate::lab::{self, Service};
use serde_json::{Value, json};

/// A program in a request of our own API, and what comes of it.
pub struct Row {
    pub language: &'static str,
    pub what: &'static str,
    pub code: &'static str,
    /// What stands in the request besides.
    pub more: fn() -> Value,
    pub status: &'static str,
    pub stdout: &'static str,
    pub exit_code: Option<i64>,
}

/// A program that ends well, without more.
pub const PLAIN: Row = Row {
    language: "",
    what: "",
    code: "",
    more: || json!({}),
    status: "ok",
    stdout: "",
    exit_code: Some(0),
};

/// Runs all rows whose language has an image, and says of each that differs how it does.
pub async fn compare(rows: &[Row]) {
    let service = lab::start().await;
    let mut wrong = Vec::new();
    for row in rows {
        if lab::can_run(row.language) {
            wrong.extend(difference(&service, row).await);
        }
    }
    service.end().await;
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n\n")
    );
}

async fn difference(service: &Service, row: &Row) -> Option<String> {
    let mut body = json!({"language": row.language, "code": row.code, "timeout": 30});
    let more = (row.more)();
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let (http, result) = service.execute(&body).await;
    let same = http == 200
        && result["status"] == row.status
        && result["stdout"] == row.stdout
        && result["exit_code"] == row.exit_code.map_or(Value::Null, Value::from);
    (!same).then(|| format!("{}, {}: {http} {result:#}", row.language, row.what))
}
