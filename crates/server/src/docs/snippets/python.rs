//! By Python's own library.

use super::literal::{PYTHON, literal};
use super::{Answered, Call, ORIGIN, Sent, headers};
use std::fmt::Write as _;

/// The program; `None`: the library cannot.
pub fn python(call: &Call<'_>) -> Option<String> {
    if call.answered == Answered::Socket {
        return None;
    }
    let modules = [
        matches!(call.sent, Sent::Json(_)).then_some("json"),
        call.keyed.then_some("os"),
        Some("urllib.request"),
    ];
    let modules: Vec<&str> = modules.into_iter().flatten().collect();
    let mut out = format!("import {}\n\n", modules.join(", "));
    if call.keyed {
        out += "key = os.environ[\"LLM_FIRECRACKER_KEY\"]\n";
    }
    let _ = write!(
        out,
        "request = urllib.request.Request(\n    \"{ORIGIN}{}\",\n    method=\"{}\",\n",
        call.target, call.method
    );
    let lines = headers(call, "f\"Bearer {key}\"");
    if !lines.is_empty() {
        out += "    headers={\n";
        for line in lines {
            let _ = writeln!(out, "        {line},");
        }
        out += "    },\n";
    }
    match call.sent {
        Sent::Nothing => {}
        Sent::Json(value) => {
            let text = literal(value, PYTHON, 4);
            let _ = writeln!(out, "    data=json.dumps({text}).encode(),");
        }
        Sent::Bytes(text) => {
            let _ = writeln!(out, "    data=b\"{text}\",");
        }
    }
    out += ")\nwith urllib.request.urlopen(request) as answer:\n";
    out += match call.answered {
        Answered::Events => {
            "    for line in answer:\n        print(line.decode(), end=\"\", flush=True)"
        }
        _ => "    print(answer.status, answer.read().decode())",
    };
    Some(out)
}
