//! One operation of the API: what its description says of it, and the call that the examples make.

use super::schema::{Api, array};
use super::snippets::{Answered, Call, Sent};
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
    /// What is said of it.
    pub described: &'a Value,
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
        let of = before.and_then(|path| path.rsplit('/').next());
        let of = of.unwrap_or_default();
        let is_es = of.ends_with("sses") || of.ends_with("xes");
        let one = of
            .strip_suffix(if is_es { "es" } else { "s" })
            .unwrap_or(of);
        match name == "id" || name == one {
            true => format!("{one}_id").to_uppercase(),
            false => name.to_uppercase(),
        }
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
        types.sort_by_key(|name| match *name {
            "application/json" => 0,
            "text/event-stream" => 1,
            _ => 2,
        });
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
    pub fn call(&self) -> Call<'a> {
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
            method: self.method.to_uppercase(),
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
}
