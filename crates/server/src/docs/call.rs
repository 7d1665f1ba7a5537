//! One operation of the API as the page has it: what it takes, what it answers, how it is called.

use super::schema::{Api, array, type_link};
use super::snippets::{Answered, Call, FORMS, ORIGIN, Sent};
use super::{attempt, escape, markdown};
use crate::openapi::codes;
use serde_json::Value;
use std::fmt::Write as _;

/// A body of bytes in the examples.
pub const BYTES: &str = "hello";

/// One method of a path.
#[derive(Debug)]
pub struct Operation<'a> {
    /// Where it is described.
    pub api: Api<'a>,
    /// The path, with its parameters in braces.
    pub path: &'a str,
    /// In small letters.
    pub method: &'a str,
    /// What is said of it.
    pub described: &'a Value,
}

/// What of an address the caller fills in.
#[derive(Debug)]
pub struct Parameter<'a> {
    /// Its name.
    pub name: &'a str,
    /// `path`, `query` or `header`.
    pub place: &'a str,
    /// It has to be there.
    pub required: bool,
    /// What stands in the examples.
    pub example: String,
    described: &'a Value,
}

impl<'a> Operation<'a> {
    /// Every operation of the description.
    pub fn all(api: Api<'a>) -> impl Iterator<Item = Operation<'a>> {
        let paths = api.0["paths"].as_object().into_iter().flatten();
        paths.flat_map(move |(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, described)| Operation {
                api,
                path,
                method,
                described,
            })
        })
    }

    /// Whether it belongs to a group.
    pub fn has_tag(&self, tag: &Value) -> bool {
        array(&self.described["tags"]).contains(tag)
    }

    /// Its place on the page.
    pub fn id(&self) -> String {
        let words = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let path: String = self.path.chars().map(words).collect();
        let parts = path.split('-').filter(|part| !part.is_empty());
        let parts: Vec<&str> = parts.collect();
        format!("{}-{}", self.method, parts.join("-"))
    }

    /// What the caller fills in.
    pub fn parameters(&self) -> Vec<Parameter<'a>> {
        let described = array(&self.described["parameters"]).iter();
        described.map(|one| self.parameter(one)).collect()
    }

    fn parameter(&self, described: &'a Value) -> Parameter<'a> {
        let name = described["name"].as_str().unwrap_or_default();
        let place = described["in"].as_str().unwrap_or_default();
        let example = match (&described["example"], place) {
            (Value::String(example), _) => example.clone(),
            (_, "path") => self.placeholder(name),
            _ => String::new(),
        };
        Parameter {
            name,
            place,
            required: described["required"] == true,
            example,
            described,
        }
    }

    /// `SANDBOX_ID` for `{id}` behind `/sandboxes/`.
    fn placeholder(&self, name: &str) -> String {
        let before = self.path.split(&format!("/{{{name}}}")).next();
        let of = before
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or(name);
        let plural = if of.ends_with("sses") || of.ends_with("xes") {
            "es"
        } else {
            "s"
        };
        let one = of.strip_suffix(plural).unwrap_or(of);
        format!("{one}_id").to_uppercase()
    }

    /// The body's type and the body of the examples; `None`: it takes none.
    pub fn body(&self) -> Option<(&'a str, &'a Value)> {
        let content = self.described["requestBody"]["content"].as_object()?;
        let (content_type, media) = content.iter().next()?;
        Some((content_type, &media["schema"]))
    }

    /// The types that it answers a success with, those of a whole document first.
    pub fn accepts(&self) -> Vec<&'a str> {
        let answers = self.described["responses"]
            .as_object()
            .into_iter()
            .flatten();
        let good = answers.filter(|(status, _)| status.starts_with('2'));
        let types = good.flat_map(|(_, answer)| answer["content"].as_object());
        let mut types: Vec<&str> = types.flatten().map(|(name, _)| name.as_str()).collect();
        types.sort_by_key(|name| *name != "application/json");
        types
    }

    /// Its answer, where nothing else is asked for.
    pub fn answered(&self) -> Answered {
        let is_socket = self.described["responses"].get("101").is_some();
        match self.accepts().first() {
            _ if is_socket => Answered::Socket,
            Some(&"text/event-stream") => Answered::Events,
            _ => Answered::Whole,
        }
    }

    /// It wants a key.
    pub fn is_keyed(&self) -> bool {
        !array(&self.described["security"]).contains(&serde_json::json!({}))
    }

    /// The call as the examples make it.
    fn call(&self, method: &'a str) -> Call<'a> {
        let mut target = self.path.to_owned();
        let mut mark = '?';
        for parameter in self.parameters() {
            let (name, example) = (parameter.name, &parameter.example);
            match parameter.place {
                "path" => target = target.replace(&format!("{{{name}}}"), example),
                "query" if parameter.required => {
                    let _ = write!(target, "{mark}{name}={example}");
                    mark = '&';
                }
                _ => {}
            }
        }
        Call {
            method,
            target,
            keyed: self.is_keyed(),
            sent: match self.body() {
                None => Sent::Nothing,
                Some((_, schema)) => match self.api.example(schema) {
                    Some(example) => Sent::Json(example),
                    None => Sent::Bytes(BYTES),
                },
            },
            answered: self.answered(),
        }
    }

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
        self.snippets(out, &method);
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
        for (status, response) in self.described["responses"]
            .as_object()
            .into_iter()
            .flatten()
        {
            if !is_refusal(status) {
                let _ = write!(
                    out,
                    "<dt><b class=good>{}</b> {}</dt><dd>{}</dd>",
                    escape(status),
                    markdown::line(text(&response["description"])),
                    content(response)
                );
            }
        }
        // Of `/readyz`: a status of refusals, and no problem.
        let own = self.described["responses"]
            .as_object()
            .into_iter()
            .flatten();
        for (status, response) in own.filter(|(status, _)| is_refusal(status)) {
            if !self
                .codes()
                .contains_key(&status.parse().unwrap_or_default())
            {
                let _ = write!(
                    out,
                    "<dt><b class=bad>{}</b> {}</dt><dd>{}</dd>",
                    escape(status),
                    markdown::line(text(&response["description"])),
                    content(response)
                );
            }
        }
        out.push_str("</dl>");
    }

    fn codes(&self) -> std::collections::BTreeMap<u16, Vec<codes::Code>> {
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

    fn snippets(&self, out: &mut String, method: &str) {
        let call = Call {
            method,
            ..self.call("")
        };
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

fn is_refusal(status: &str) -> bool {
    status.starts_with('4') || status.starts_with('5')
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
