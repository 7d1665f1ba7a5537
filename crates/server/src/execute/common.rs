//! What the answers about code have in common, a job's, a session's and a sandbox's cell's (decision 111): a client
//! reads any of them with one function.

use protocol::wire::SessionError;
use serde::Serialize;
use utoipa::ToSchema;

/// Why code did not end well: `null` exactly where `status` is `ok`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorInfoBody {
    /// The stable code, where the service had no result of the code; absent for what the code did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The class of what was not caught; else the `status`.
    pub name: String,
    /// Its message; else one sentence about how it ended.
    pub value: String,
    /// Its traceback; empty where there is none.
    pub traceback: String,
}

impl ErrorInfoBody {
    /// Of an end that raised nothing.
    pub fn of_end(status: &str, sentence: String) -> ErrorInfoBody {
        ErrorInfoBody {
            code: None,
            name: status.to_owned(),
            value: sentence,
            traceback: String::new(),
        }
    }
}

impl From<SessionError> for ErrorInfoBody {
    fn from(error: SessionError) -> ErrorInfoBody {
        ErrorInfoBody {
            code: None,
            name: error.name,
            value: error.value,
            traceback: error.traceback,
        }
    }
}
