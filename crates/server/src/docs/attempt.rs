//! The form by which a reader makes a call from the page. Its script is `assets/attempt.js`.

use super::operation::{BYTES, Operation};
use super::snippets::Answered;
use super::{escape, markdown};
use std::fmt::Write as _;

/// Where a page makes no such call.
const NO_SOCKET: &str = "A terminal is opened from [the dashboard](/#sandboxes).";

/// The form of one operation.
pub fn form(out: &mut String, operation: &Operation<'_>) {
    out.push_str("<details class=attempt><summary>Try it</summary>");
    if operation.answered() == Answered::Socket {
        let _ = write!(out, "{}</details>", markdown::blocks(NO_SOCKET));
        return;
    }
    let _ = write!(
        out,
        "<form data-method={} data-path='{}'>",
        operation.method.to_uppercase(),
        escape(operation.path)
    );
    for parameter in operation.parameters() {
        if parameter.place == "header" {
            continue;
        }
        let is_path = parameter.place == "path";
        let (hint, value) = match is_path {
            true => (parameter.example.as_str(), ""),
            false => ("", parameter.example.as_str()),
        };
        let _ = write!(
            out,
            "<label>{0} <input name='{0}' data-place={1} placeholder='{2}' value='{3}' autocomplete=off spellcheck=false autocapitalize=off{4}></label>",
            escape(parameter.name),
            escape(parameter.place),
            escape(hint),
            escape(value),
            if parameter.required { " required" } else { "" },
        );
    }
    if let Some((content_type, schema)) = operation.body() {
        let example = operation.api.example(schema);
        let example = example.and_then(|example| serde_json::to_string_pretty(example).ok());
        let example = example.unwrap_or_else(|| BYTES.to_owned());
        let _ = write!(
            out,
            "<label class=wide>Body <small>{0}</small> <textarea name=body data-type='{0}' rows={1} spellcheck=false>{2}</textarea></label>",
            escape(content_type),
            example.lines().count().clamp(2, 16),
            escape(&example)
        );
    }
    let accepts = operation.accepts();
    if accepts.len() > 1 {
        out.push_str("<label>Answer <select name=accept>");
        for accept in accepts {
            let _ = write!(out, "<option>{}</option>", escape(accept));
        }
        out.push_str("</select></label>");
    } else if let Some(accept) = accepts.first() {
        let _ = write!(
            out,
            "<input type=hidden name=accept value='{}'>",
            escape(accept)
        );
    }
    out.push_str(
        "<p class=acts><button class=main>Send</button> <button type=button class=stop disabled>Stop</button> <span class=told role=status></span></p>\
         <div class=seen hidden><h4>Headers</h4><pre class=headers tabindex=0></pre><h4>Body</h4><pre class=body tabindex=0></pre></div></form></details>",
    );
}
