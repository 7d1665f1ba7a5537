//! How a cell is handed to an interpreter. Pure.
//!
//! | orders | one of them is |
//! |---|---|
//! | [`Orders::Json`] | one line: `{"id", "code", "args", "env", "stdin": base64}` |
//! | [`Orders::Shell`] | a line of commands, which is the same each time, and the cell as assignments of so many bytes |
//!
//! bash reads a pipe byte by byte where it looks for a line's end, and in one go where it knows the length.

use super::Cell;
use crate::live::LiveError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::language::Orders;
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
    let order = serde_json::json!({
        "id": key,
        "code": cell.code,
        "args": cell.args,
        "env": env,
        "stdin": STANDARD.encode(&cell.stdin),
    });
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
