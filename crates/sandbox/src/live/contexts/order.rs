//! How a cell is handed to an interpreter. Pure.
//!
//! | orders | one of them is |
//! |---|---|
//! | [`Orders::Json`] | one line: `{"id", "code", "args", "env", "stdin": base64}`, and where they are wanted `"env_scope": "cell"`, `"formats": "structured"` |
//! | [`Orders::Shell`] | a line of commands, which is the same each time, and the cell as assignments of so many bytes |
//!
//! bash reads a pipe byte by byte where it looks for a line's end, and in one go where it knows the length.

use super::{Cell, EnvScope, Formats};
use crate::live::{AdoptSpec, LiveError, ProcessId, ProcessSpec};
use crate::waiting::has_read;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::language::{Language, Orders, environment, interpreter};
use protocol::limits::{MAX_ARG_BYTES, MAX_ARGS, MAX_ENV};
use std::fmt::Write as _;

/// The most that one cell's code and standard input may have, in bytes each (1 MiB).
pub const MAX_CELL_BYTES: usize = 1024 * 1024;

/// Refuses a cell that is larger than an interpreter is asked to take.
pub(super) fn check(cell: &Cell) -> Result<(), LiveError> {
    let too_many = |what, max| Err(LiveError::TooMany { what, max });
    let arguments: usize = cell.args.iter().map(String::len).sum();
    let variables = cell.env.iter();
    let variables: usize = variables
        .map(|(name, value)| name.len() + value.len())
        .sum();
    match () {
        () if cell.code.len() > MAX_CELL_BYTES => too_many("bytes of code", MAX_CELL_BYTES),
        () if cell.stdin.len() > MAX_CELL_BYTES => too_many("bytes of input", MAX_CELL_BYTES),
        () if cell.args.len() > MAX_ARGS => too_many("arguments", MAX_ARGS),
        () if cell.env.len() > MAX_ENV => too_many("variables", MAX_ENV),
        () if arguments > MAX_ARG_BYTES => too_many("bytes of arguments", MAX_ARG_BYTES),
        () if variables > MAX_ARG_BYTES => too_many("bytes of variables", MAX_ARG_BYTES),
        () => Ok(()),
    }
}

/// What is said before the first order.
pub(super) fn preface(orders: &Orders) -> &str {
    match orders {
        Orders::Json => "",
        Orders::Shell(first) => first,
    }
}

/// An interpreter that waits, as one of a context that would be started so: its first order says where it is, and with which
/// environment. `None`: it has read something of that environment already.
pub(super) fn adopted(
    waiting: ProcessId,
    language: Language,
    spec: &ProcessSpec,
) -> Option<AdoptSpec> {
    let usual = environment(language, std::iter::empty());
    let own: Vec<_> = spec
        .env
        .iter()
        .filter(|variable| !usual.contains(variable))
        .cloned()
        .collect();
    if interpreter(language).is_some_and(|it| has_read(&it, &own)) {
        return None;
    }
    let env: serde_json::Map<_, _> = spec
        .env
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    Some(AdoptSpec {
        process: waiting,
        order: serde_json::json!({ "cwd": spec.cwd, "env": env }).to_string(),
        orders: spec.orders,
        absent: Vec::new(),
        stdin: spec.stdin,
        limits: spec.limits.clone(),
        argv: spec.argv.clone(),
        cwd: spec.cwd.clone(),
    })
}

/// A cell under its key.
pub(super) fn order(orders: &Orders, key: &str, cell: &Cell) -> Vec<u8> {
    match orders {
        Orders::Json => json(key, cell),
        Orders::Shell(_) => bash(key, cell),
    }
}

fn json(key: &str, cell: &Cell) -> Vec<u8> {
    let env: serde_json::Map<_, _> = cell
        .env
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let mut order = serde_json::json!({
        "id": key,
        "code": cell.code,
        "args": cell.args,
        "env": env,
        "stdin": STANDARD.encode(&cell.stdin),
    });
    if cell.env_scope == EnvScope::Cell {
        order["env_scope"] = "cell".into();
    }
    if cell.formats == Formats::Structured {
        order["formats"] = "structured".into();
    }
    format!("{order}\n").into_bytes()
}

fn bash(key: &str, cell: &Cell) -> Vec<u8> {
    let mut body = format!("__cell_id={key};__cell_code={};", quoted(&cell.code));
    if !cell.stdin.is_empty() {
        // For `printf %b`, which knows bytes that no variable can hold.
        let octal: String = cell
            .stdin
            .iter()
            .map(|byte| format!("\\0{byte:03o}"))
            .collect();
        let _ = write!(body, "__cell_stdin='{octal}';");
    }
    for (name, value) in &cell.env {
        if cell.env_scope == EnvScope::Cell {
            let _ = write!(body, "__cell_keep {name};");
        }
        let _ = write!(body, "export {name}={};", quoted(value));
    }
    let args: Vec<String> = cell.args.iter().map(|argument| quoted(argument)).collect();
    if !args.is_empty() {
        let _ = write!(body, "__cell_args=({});", args.join(" "));
    }
    let line = format!(
        "{{ __cell_take {}; }} 2>/dev/null; set -- \"${{__cell_args[@]}}\"; \
         eval \"$__cell_code\" <&13 1>&\"$__cell_out\" 2>&\"$__cell_err\" \
         3<&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- 10>&- 11>&- 12>&- 13<&-; {{ __cell_over $?; }} 2>/dev/null\n",
        body.len()
    );
    (line + &body).into_bytes()
}

/// A word of bash, in ASCII.
fn quoted(text: &str) -> String {
    let mut word = "$'".to_owned();
    for byte in text.bytes() {
        // Nothing can hold a NUL there: bash passes it over in scripts, too.
        match byte {
            0 => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'/' | b'.' | b'_' | b'=' => {
                word.push(char::from(byte))
            }
            other => _ = write!(word, "\\{other:03o}"),
        }
    }
    word + "'"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn an_order_is_one_line_of_json() {
        let cell = Cell {
            code: "print('ü')\n".into(),
            args: vec!["a".into()],
            env: vec![("A".into(), "1".into())],
            stdin: b"\xff\n".into(),
            ..Cell::default()
        };
        let order = String::from_utf8(order(&Orders::Json, "k", &cell)).unwrap();
        assert_eq!(
            order,
            "{\"args\":[\"a\"],\"code\":\"print('ü')\\n\",\"env\":{\"A\":\"1\"},\"id\":\"k\",\"stdin\":\"/wo=\"}\n"
        );
    }

    #[test]
    fn an_order_says_what_is_wanted_besides() {
        let cell = Cell {
            env: vec![("A".into(), "1".into())],
            env_scope: EnvScope::Cell,
            formats: Formats::Structured,
            ..Cell::default()
        };
        let text = |orders: &Orders| String::from_utf8(order(orders, "k", &cell)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text(&Orders::Json)).unwrap();
        assert_eq!(json["env_scope"], "cell");
        assert_eq!(json["formats"], "structured");
        let shell = text(&Orders::Shell(String::new()));
        assert!(shell.contains("__cell_keep A;export A=$'1';"), "{shell}");
    }

    #[test]
    fn one_that_waits_becomes_what_has_read_nothing_of_its_environment() {
        let python = protocol::language::named("python");
        let interpreter = protocol::language::context(python).unwrap();
        let spec = |own: &[(&str, &str)]| {
            let env = own
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            let spec = super::super::ContextSpec {
                language: python,
                cwd: "/tmp".into(),
                env: env.collect(),
                limits: crate::live::ProcessLimits {
                    wall_millis: 0,
                    cpu_seconds: 0,
                    memory_bytes: 0,
                    pids: 1,
                    file_size_bytes: 1,
                    open_files: 3,
                },
            };
            spec.process(&interpreter)
        };
        let adopt = adopted(7, python, &spec(&[("A", "1")])).unwrap();
        let order: serde_json::Value = serde_json::from_str(&adopt.order).unwrap();
        assert_eq!(
            (adopt.process, &order["cwd"], &order["env"]["A"]),
            (7, &"/tmp".into(), &"1".into())
        );
        assert!(!adopt.order.contains('\n'));
        // What is as it always is counts as nothing.
        for (own, waits) in [
            (("PYTHONDONTWRITEBYTECODE", "1"), true),
            (("PYTHONPATH", "/a"), false),
            (("LC_ALL", "C"), false),
        ] {
            assert_eq!(
                adopted(7, python, &spec(&[own])).is_some(),
                waits,
                "{own:?}"
            );
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let cell = Cell {
            code: "x".repeat(MAX_CELL_BYTES + 1),
            ..Cell::default()
        };
        assert!(matches!(check(&cell), Err(LiveError::TooMany { .. })));
        assert_eq!(check(&Cell::default()), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn bash_reads_back_every_text(text in "[^\\x00]{0,60}") {
            let script = format!("printf %s {}", quoted(&text));
            prop_assert!(script.is_ascii() && !script.contains('\n'));
            let output = Command::new("bash").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
