//! An answer that comes as it happens: server-sent events, or lines of JSON, taken apart alike.

use crate::http::client::Lost;
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::Incoming;
use serde_json::Value;

/// How an answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Server-sent events.
    Events,
    /// Lines of JSON.
    Lines,
}

impl Form {
    /// What a request accepts for it.
    pub fn accept(self) -> &'static str {
        match self {
            Form::Events => "text/event-stream",
            Form::Lines => "application/x-ndjson",
        }
    }
}

/// An answer under way.
pub struct Feed {
    body: Incoming,
    form: Form,
    /// What came and was not taken yet begins at `at`.
    bytes: Vec<u8>,
    at: usize,
}

/// One thing that was told.
#[derive(Debug, PartialEq)]
pub struct Told {
    /// The event's name.
    pub event: String,
    /// What it says.
    pub value: Value,
}

impl Feed {
    /// Reads this answer.
    pub fn of(answer: Response<Incoming>, form: Form) -> Feed {
        Feed {
            body: answer.into_body(),
            form,
            bytes: Vec::new(),
            at: 0,
        }
    }

    /// The next that is told; `None`: nothing more.
    pub async fn next(&mut self) -> Result<Option<Told>, Lost> {
        let mut event = None;
        while let Some(line) = self.line().await? {
            let told = match self.form {
                Form::Lines => of_line(&line)?,
                Form::Events => match line.strip_prefix(b"event: ") {
                    Some(name) => {
                        event = Some(String::from_utf8_lossy(name).into_owned());
                        None
                    }
                    None => of_data(&line, &mut event)?,
                },
            };
            if told.is_some() {
                return Ok(told);
            }
        }
        Ok(None)
    }

    /// The next of this name; others are passed over. An answer that ends without it is an error.
    pub async fn until(&mut self, event: &str) -> Result<Value, Lost> {
        while let Some(told) = self.next().await? {
            if told.event == event {
                return Ok(told.value);
            }
            if told.event == "error" {
                return Err(told.value.to_string().into());
            }
        }
        Err(format!("the answer ended without {event:?}").into())
    }

    /// Hands out all that a process prints, up to its end, which must be a good one.
    pub async fn outputs(
        &mut self,
        mut take: impl FnMut(&Value) -> Result<(), Lost>,
    ) -> Result<(), Lost> {
        while let Some(told) = self.next().await? {
            match told.event.as_str() {
                "output" => take(&told.value)?,
                "exit" if told.value["status"] == "ok" => return Ok(()),
                "exit" | "error" => return Err(told.value.to_string().into()),
                _ => {}
            }
        }
        Err("the answer has no end".into())
    }

    async fn line(&mut self) -> Result<Option<Vec<u8>>, Lost> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if let Some(length) = memchr::memchr(b'\n', rest) {
                self.at += length + 1;
                return Ok(Some(rest[..length].to_vec()));
            }
            self.bytes.drain(..self.at);
            self.at = 0;
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            // Trailers say nothing here.
            if let Ok(data) = frame?.into_data() {
                self.bytes.extend_from_slice(&data);
            }
        }
    }
}

fn of_line(line: &[u8]) -> Result<Option<Told>, Lost> {
    let value: Value = serde_json::from_slice(line)?;
    let event = value["event"].as_str().unwrap_or_default().to_owned();
    Ok(Some(Told { event, value }))
}

/// Comments, ids and ends of events say nothing here.
fn of_data(line: &[u8], event: &mut Option<String>) -> Result<Option<Told>, Lost> {
    let Some(data) = line.strip_prefix(b"data: ") else {
        return Ok(None);
    };
    let value = serde_json::from_slice(data)?;
    let event = event.take().unwrap_or_default();
    Ok(Some(Told { event, value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_say_the_same() {
        let told = Told {
            event: "output".into(),
            value: json!({"offset": 7}),
        };
        let line = of_line(br#"{"event":"output","offset":7}"#)
            .unwrap()
            .unwrap();
        assert_eq!(
            (line.event, &line.value["offset"]),
            ("output".into(), &json!(7))
        );
        let mut event = Some("output".to_owned());
        assert_eq!(of_data(b"id: 9", &mut event).unwrap(), None);
        assert_eq!(
            of_data(b"data: {\"offset\":7}", &mut event).unwrap(),
            Some(told)
        );
        assert_eq!(event, None);
    }
}
