//! One operation as the page has it: what it takes, what it answers, how it is called.

use super::operation::Operation;
use super::schema::type_link;
use super::snippets::{FORMS, ORIGIN};
use super::{attempt, escape, markdown};
use crate::openapi::codes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

impl Operation<'_> {
    /// The whole of it.
    pub fn section(&self, out: &mut String) {
        let (id, method) = (self.id(), self.method.to_uppercase());
        let _ = write!(
            out,
            "<section class=call id='{id}'><h3><a href='#{id}'><b class='method {}'>{method}</b> <code>{}</code></a></h3>\
             <div class=split><div>{}{}",
            self.method,
            breakable(self.path),
            paragraphs(&self.described["summary"]),
            paragraphs(&self.described["description"]),
        );
        self.takes(out);
        self.answers(out);
        self.refusals(out);
        out.push_str("</div><div>");
        self.snippets(out);
        attempt::form(out, self);
        out.push_str("</div></div></section>");
    }

    fn takes(&self, out: &mut String) {
        let parameters = self.parameters();
        if !parameters.is_empty() {
            out.push_str("<h4>Parameters</h4><dl>");
            for parameter in parameters {
                let must = if parameter.required {
                    "required"
                } else {
                    "optional"
                };
                let _ = write!(
                    out,
                    "<dt><code>{}</code> <small>{}, {must}</small></dt><dd>{}</dd>",
                    escape(parameter.name),
                    escape(parameter.place),
                    markdown::line(text(&parameter.described["description"])),
                );
            }
            out.push_str("</dl>");
        }
        if let Some((content_type, schema)) = self.body() {
            let _ = write!(
                out,
                "<h4>Body</h4><p>{} <small>{}</small></p>",
                type_link(schema),
                escape(content_type)
            );
        }
    }

    fn answers(&self, out: &mut String) {
        out.push_str("<h4>Answers</h4><dl>");
        let codes = self.codes();
        let responses = self.described["responses"].as_object();
        for (status, response) in responses.into_iter().flatten() {
            // Problems come below, by their codes.
            if codes.contains_key(&status.parse().unwrap_or_default()) {
                continue;
            }
            let tone = if status.starts_with(['4', '5']) {
                "bad"
            } else {
                "good"
            };
            let _ = write!(
                out,
                "<dt><b class={tone}>{}</b> {}</dt><dd>{}</dd>",
                escape(status),
                markdown::line(text(&response["description"])),
                content(response)
            );
        }
        out.push_str("</dl>");
    }

    fn codes(&self) -> BTreeMap<u16, Vec<codes::Code>> {
        codes::of(self.method, self.path).unwrap_or_default()
    }

    fn refusals(&self, out: &mut String) {
        let codes = self.codes();
        let statuses: Vec<String> = codes.keys().map(u16::to_string).collect();
        let _ = write!(
            out,
            "<details class=refusals><summary>Refusals and failures <small>{}</small></summary><dl>",
            statuses.join(" ")
        );
        for (status, codes) in codes {
            for code in codes {
                let (code, sentence) = (code.as_str(), code.sentence());
                let _ = write!(
                    out,
                    "<dt>{status} <a href='#{code}'><code>{code}</code></a></dt><dd>{}</dd>",
                    markdown::line(sentence)
                );
            }
        }
        out.push_str("</dl></details>");
    }

    fn snippets(&self, out: &mut String) {
        let call = self.call();
        out.push_str("<div class=snippets>");
        for form in FORMS {
            let (name, title) = (form.name, form.title);
            let _ = match form.of(&call) {
                Some(text) => write!(
                    out,
                    "<h4 class=of-{name}>{title}</h4><pre class='snippet of-{name}' data-form={name} tabindex=0><code>{}</code></pre>",
                    self.filled(&text)
                ),
                None => write!(
                    out,
                    "<h4 class=of-{name}>{title}</h4><p class='why-not of-{name}' data-form={name}>{}</p>",
                    markdown::line(form.why_not)
                ),
            };
        }
        out.push_str("</div>");
    }

    /// What the reader has to fill in is marked.
    fn filled(&self, text: &str) -> String {
        let mark = |of: &str, text: &str| format!("<var data-of='{of}'>{text}</var>");
        let mut out = escape(text).replace(ORIGIN, &mark("origin", ORIGIN));
        for parameter in self.parameters() {
            if parameter.place == "path" {
                let marked = mark(&escape(parameter.name), &parameter.example);
                out = out.replace(&parameter.example, &marked);
            }
        }
        out
    }
}

fn content(response: &Value) -> String {
    let types = response["content"].as_object().into_iter().flatten();
    let types = types.map(|(name, media)| {
        format!(
            "{} <small>{}</small>",
            type_link(&media["schema"]),
            escape(name)
        )
    });
    types.collect::<Vec<_>>().join("<br>")
}

/// A path that may be broken behind each of its parts.
pub fn breakable(path: &str) -> String {
    escape(path).replace('/', "<wbr>/")
}

fn paragraphs(value: &Value) -> String {
    markdown::blocks(text(value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
