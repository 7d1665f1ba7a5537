// A recursive-descent parser of JSON with errors that tell where, and a printer.
use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Clone, PartialEq)]
enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

#[derive(Debug)]
struct Wrong {
    at: usize,
    expected: &'static str,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.at)
    }
}
impl std::error::Error for Wrong {}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn fail<T>(&self, expected: &'static str) -> Result<T, Wrong> {
        Err(Wrong { at: self.at, expected })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Json, Wrong> {
        self.space();
        let value = match self.rest().chars().next() {
            Some('n') if self.eat("null") => Json::Null,
            Some('t') if self.eat("true") => Json::Bool(true),
            Some('f') if self.eat("false") => Json::Bool(false),
            Some('"') => Json::Text(self.string()?),
            Some('[') => Json::List(self.sequence("[", "]", Self::value)?),
            Some('{') => Json::Object(self.sequence("{", "}", Self::member)?.into_iter().collect()),
            Some(c) if c == '-' || c.is_ascii_digit() => {
                let length = self.rest().find(|c: char| !"+-.eE".contains(c) && !c.is_ascii_digit());
                let digits = &self.rest()[..length.unwrap_or(self.rest().len())];
                let number = digits.parse().or_else(|_| self.fail("a number"))?;
                self.at += digits.len();
                Json::Number(number)
            }
            _ => return self.fail("a value"),
        };
        self.space();
        Ok(value)
    }

    fn sequence<T>(&mut self, open: &str, close: &'static str, item: fn(&mut Self) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
        self.eat(open);
        self.space();
        let mut items = Vec::new();
        while !self.eat(close) {
            if !items.is_empty() && !self.eat(",") {
                return self.fail(", or the end");
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn member(&mut self) -> Result<(String, Json), Wrong> {
        self.space();
        let name = self.string()?;
        self.space();
        if !self.eat(":") {
            return self.fail(":");
        }
        Ok((name, self.value()?))
    }

    fn string(&mut self) -> Result<String, Wrong> {
        if !self.eat("\"") {
            return self.fail("a string");
        }
        let mut out = String::new();
        while let Some(c) = self.rest().chars().next() {
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' if self.eat("n") => out.push('\n'),
                '\\' if self.eat("\"") => out.push('"'),
                '\\' if self.eat("u") => {
                    let code = self.rest().get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                    out.push(code.and_then(char::from_u32).map_or_else(|| self.fail("four hexadecimal digits"), Ok)?);
                    self.at += 4;
                }
                '\\' => return self.fail("an escape"),
                c => out.push(c),
            }
        }
        self.fail("the end of a string")
    }
}

fn parse(text: &str) -> Result<Json, Box<dyn std::error::Error>> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value()?;
    match parser.rest() {
        "" => Ok(value),
        rest => Err(format!("{rest:?} follows the value").into()),
    }
}

impl Json {
    fn depth(&self) -> usize {
        match self {
            Json::List(items) => 1 + items.iter().map(Json::depth).max().unwrap_or(0),
            Json::Object(members) => 1 + members.values().map(Json::depth).max().unwrap_or(0),
            _ => 0,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(value) => write!(f, "{value}"),
            Json::Text(value) => write!(f, "{value:?}"),
            Json::List(items) => write!(f, "[{}]", items.iter().map(Json::to_string).collect::<Vec<_>>().join(",")),
            Json::Object(members) => {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                write!(f, "{{{}}}", members.join(","))
            }
        }
    }
}

fn main() {
    let text = r#" {"name": "Caf\u00e9 \"x\"", "list": [1, -2.5, 3e3, [], {"deep": [null, true]}], "a": {} } "#;
    let value = parse(text).unwrap();
    println!("{value}\ndepth {}, again equal: {}", value.depth(), parse(&value.to_string()).unwrap() == value);
    for broken in ["[1, 2", "{\"a\" 1}", "tru", "[1] 2", "\"\\u12\"", "-", "[\"open"] {
        println!("{broken:<9} {}", parse(broken).unwrap_err());
    }
}
