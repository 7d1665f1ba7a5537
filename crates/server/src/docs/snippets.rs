//! How one call is made from a shell, from Python and from JavaScript: what a reader can paste. Nothing needs to be
//! installed for it (docs/decisions/106).

use serde_json::Value;
use std::fmt::Write as _;

/// Where a service listens that was told nothing; the page's script puts its own address there.
pub const ORIGIN: &str = "http://localhost:8080";

/// Columns that a value may take on one line.
const ONE_LINE: usize = 60;

/// What is sent.
#[derive(Debug)]
pub enum Sent<'a> {
    /// No body.
    Nothing,
    /// This, as JSON.
    Json(&'a Value),
    /// These bytes.
    Bytes(&'a str),
}

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// One document.
    Whole,
    /// Server-sent events, as they come.
    Events,
    /// A WebSocket.
    Socket,
}

/// One call.
#[derive(Debug)]
pub struct Call<'a> {
    /// In capitals.
    pub method: &'a str,
    /// Path and query; what the reader has to fill in stands there in capitals.
    pub target: String,
    /// It wants a key.
    pub keyed: bool,
    /// Its body.
    pub sent: Sent<'a>,
    /// Its answer.
    pub answered: Answered,
}

/// A way to make a call.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// As the page's elements name it.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    write: fn(&Call<'_>) -> Option<String>,
    /// Why there may be none.
    pub why_not: &'static str,
}

impl Form {
    /// The text; `None`: not in this way, see `why_not`.
    pub fn of(&self, call: &Call<'_>) -> Option<String> {
        (self.write)(call)
    }
}

/// Every way, in the order of the page.
pub const FORMS: [Form; 3] = [
    Form {
        name: "curl",
        title: "curl",
        write: curl,
        why_not: "curl types into no WebSocket: `llm-firecracker sandbox exec ID -t -- bash -l` does.",
    },
    Form {
        name: "python",
        title: "Python",
        write: python,
        why_not: "Python's own library has no WebSocket: the SDK has terminals.",
    },
    Form {
        name: "javascript",
        title: "JavaScript",
        write: javascript,
        why_not: "",
    },
];

fn curl(call: &Call<'_>) -> Option<String> {
    if call.answered == Answered::Socket {
        return None;
    }
    let mut out = "curl -sS --fail-with-body".to_owned();
    if call.answered == Answered::Events {
        out += " -N";
    }
    let implied = match call.sent {
        Sent::Nothing => "GET",
        Sent::Json(_) | Sent::Bytes(_) => "POST",
    };
    if call.method != implied {
        let _ = write!(out, " -X {}", call.method);
    }
    let _ = write!(out, " \"{ORIGIN}{}\"", call.target);
    let mut more = |argument: String| {
        let _ = write!(out, " \\\n  {argument}");
    };
    if call.keyed {
        more("-H \"Authorization: Bearer $LLM_FIRECRACKER_KEY\"".to_owned());
    }
    if call.answered == Answered::Events {
        more("-H 'Accept: text/event-stream'".to_owned());
    }
    match call.sent {
        Sent::Nothing => {}
        Sent::Json(value) => {
            let text = literal(value, JSON, 2).replace('\'', "'\\''");
            more(format!("--json '{text}'"));
        }
        Sent::Bytes(text) => {
            more("-H 'Content-Type: application/octet-stream'".to_owned());
            more(format!("--data-binary '{text}'"));
        }
    }
    Some(out)
}

/// The headers of a call, as lines of a dictionary.
fn headers(call: &Call<'_>, key: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if call.keyed {
        lines.push(format!("\"Authorization\": {key}"));
    }
    if call.answered == Answered::Events {
        lines.push("\"Accept\": \"text/event-stream\"".to_owned());
    }
    match call.sent {
        Sent::Nothing => {}
        Sent::Json(_) => lines.push("\"Content-Type\": \"application/json\"".to_owned()),
        Sent::Bytes(_) => lines.push("\"Content-Type\": \"application/octet-stream\"".to_owned()),
    }
    lines
}

fn python(call: &Call<'_>) -> Option<String> {
    if call.answered == Answered::Socket {
        return None;
    }
    let modules = [
        matches!(call.sent, Sent::Json(_)).then_some("json"),
        call.keyed.then_some("os"),
        Some("urllib.request"),
    ];
    let modules: Vec<&str> = modules.into_iter().flatten().collect();
    let mut out = format!(
        "import {}\n\nrequest = urllib.request.Request(\n    \"{ORIGIN}{}\",\n    method=\"{}\",\n",
        modules.join(", "),
        call.target,
        call.method
    );
    let lines = headers(call, "\"Bearer \" + os.environ[\"LLM_FIRECRACKER_KEY\"]");
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

fn javascript(call: &Call<'_>) -> Option<String> {
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

/// How a language writes `true`, `false` and nothing.
type Words = [&'static str; 3];
const JSON: Words = ["true", "false", "null"];
const PYTHON: Words = ["True", "False", "None"];

/// A value in a language's own words: on one line where it fits, else by lines that stand `indent` deep.
fn literal(value: &Value, words: Words, indent: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_is_written_in_each_languages_own_words() {
        let body = json!({"code": "print('it')", "background": true, "image": null});
        let call = |sent| Call {
            method: "POST",
            target: "/x".into(),
            keyed: true,
            sent,
            answered: Answered::Whole,
        };
        let call = call(Sent::Json(&body));
        assert!(curl(&call).unwrap().contains("print('\\''it'\\'')"));
        assert!(python(&call).unwrap().contains("\"background\": True"));
        assert!(javascript(&call).unwrap().contains("\"image\": null"));
    }
}
