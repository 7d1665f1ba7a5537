//! Every answer that is no success, in E2B's shape: `{"code": HTTP_STATUS, "message": TEXT}`. Its Python client takes
//! both unguarded, so a body of ours would crash it.

use crate::problem::Problem;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error, as E2B tells it.
#[derive(Debug, Serialize)]
pub struct E2bErrorBody {
    /// The HTTP status.
    pub code: u16,
    /// What happened and what to do.
    pub message: String,
}

/// A problem in E2B's shape.
#[derive(Debug)]
pub struct AsE2b(pub Problem);

impl From<Problem> for AsE2b {
    fn from(problem: Problem) -> Self {
        AsE2b(problem)
    }
}

impl AsE2b {
    /// The body.
    pub fn body(&self) -> E2bErrorBody {
        E2bErrorBody {
            code: self.0.status.as_u16(),
            message: self.0.detail.clone(),
        }
    }
}

impl IntoResponse for AsE2b {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.body()).unwrap_or_default();
        self.0.respond("application/json", body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::HttpCode;

    #[test]
    fn an_error_has_the_status_as_its_code() {
        let error = AsE2b(Problem::with(HttpCode::FieldInvalid, "no such field"));
        let body = serde_json::to_value(error.body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"code": 400, "message": "no such field"})
        );
        assert_eq!(error.into_response().status(), 400);
    }
}
