//! How one call is made from a shell, from Python and from JavaScript: what a reader can paste. Nothing needs to be
//! installed for it (docs/decisions/106).

mod curl;
mod javascript;
mod literal;
mod python;

use serde_json::Value;

/// Where a service listens that was told nothing; the page's script puts its own address there.
pub const ORIGIN: &str = "http://localhost:8080";

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
    pub method: String,
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
        write: curl::curl,
        why_not: "curl types into no WebSocket: `llm-firecracker sandbox exec ID -t -- bash -l` does.",
    },
    Form {
        name: "python",
        title: "Python",
        write: python::python,
        why_not: "Python's own library has no WebSocket: the SDK has terminals.",
    },
    Form {
        name: "javascript",
        title: "JavaScript",
        write: javascript::javascript,
        why_not: "",
    },
];

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_is_written_in_each_languages_own_words() {
        let body = json!({"code": "print('it')", "background": true, "image": null});
        let call = |sent| Call {
            method: "POST".into(),
            target: "/x".into(),
            keyed: true,
            sent,
            answered: Answered::Whole,
        };
        let call = call(Sent::Json(&body));
        assert!(curl::curl(&call).unwrap().contains("print('\\''it'\\'')"));
        assert!(
            python::python(&call)
                .unwrap()
                .contains("\"background\": True")
        );
        assert!(
            javascript::javascript(&call)
                .unwrap()
                .contains("\"image\": null")
        );
    }
}
