//! By `fetch`, as Node.js, Deno and Bun have it.

use super::literal::{JSON, literal};
use super::{Answered, Call, ORIGIN, Sent, headers};
use std::fmt::Write as _;

/// The program.
pub fn javascript(call: &Call<'_>) -> Option<String> {
    let key = "process.env.LLM_FIRECRACKER_KEY";
    let target = &call.target;
    if call.answered == Answered::Socket {
        return Some(format!(
            "const address = \"{ORIGIN}{target}\".replace(\"http\", \"ws\");\n\
             const protocols = [\"llm-firecracker.terminal\", `llm-firecracker.key.${{{key}}}`];\n\
             const socket = new WebSocket(address, protocols);\n\
             socket.binaryType = \"arraybuffer\";\n\
             socket.onopen = () => socket.send(new TextEncoder().encode(\"exit\\n\"));\n\
             socket.onmessage = ({{ data }}) =>\n  \
             process.stdout.write(typeof data === \"string\" ? data : new Uint8Array(data));"
        ));
    }
    let mut out = format!("const answer = await fetch(\"{ORIGIN}{target}\"");
    let lines = headers(call, &format!("`Bearer ${{{key}}}`"));
    let mut options = Vec::new();
    if call.method != "GET" {
        options.push(format!("method: \"{}\"", call.method));
    }
    if !lines.is_empty() {
        let lines: String = lines.iter().map(|line| format!("    {line},\n")).collect();
        options.push(format!("headers: {{\n{lines}  }}"));
    }
    match call.sent {
        Sent::Nothing => {}
        Sent::Json(value) => {
            let text = literal(value, JSON, 2);
            options.push(format!("body: JSON.stringify({text})"));
        }
        Sent::Bytes(text) => options.push(format!("body: \"{text}\"")),
    }
    if !options.is_empty() {
        let options: String = options
            .iter()
            .map(|option| format!("  {option},\n"))
            .collect();
        let _ = write!(out, ", {{\n{options}}}");
    }
    out += ");\nif (!answer.ok) throw new Error(await answer.text());\n";
    out += match call.answered {
        Answered::Events => "for await (const piece of answer.body) process.stdout.write(piece);",
        _ => "console.log(answer.status, await answer.text());",
    };
    Some(out)
}
