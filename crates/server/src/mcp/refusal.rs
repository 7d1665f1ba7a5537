//! What a model is told when something is not as it asked: what was wrong, and what to do next. It is a tool's error, not
//! the protocol's, for those a model never reads.

use crate::app::App;
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use crate::refusals::Asker;
use protocol::error_code::ErrorCode;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::json;

/// What a model is told besides, or in the place of the problem's own sentence, which speaks of other ways in.
struct Next {
    instead: Option<&'static str>,
    advice: &'static str,
}

fn next_step(of: &str) -> Option<Next> {
    let besides = |advice| Next {
        instead: None,
        advice,
    };
    let next = [
        (
            HttpCode::SandboxNotFound.as_str(),
            Next {
                instead: Some("there is no such session; it ended, or never was"),
                advice: "call start_session for a new one and write its files again: what it held is gone",
            },
        ),
        (
            HttpCode::ContextUnsupported.as_str(),
            Next {
                instead: Some("this language keeps no variables and does not run in a session"),
                advice: "call run_code without session_id: each call then compiles and runs in a fresh VM",
            },
        ),
        (
            HttpCode::TooManySessions.as_str(),
            besides("call end_session for one that is not needed any more"),
        ),
        (
            HttpCode::FileNotFound.as_str(),
            besides(
                "call list_files to see what is there; files of a run without session are kept for 15 minutes",
            ),
        ),
        (
            HttpCode::ProcessNotStarted.as_str(),
            besides(
                "this session's image has no such program: call start_session with this language",
            ),
        ),
        (
            ErrorCode::ImageMissing.as_str(),
            besides("use one of the languages that the description of run_code names"),
        ),
    ];
    let found = next.into_iter().find(|(code, _)| *code == of);
    found.map(|(_, next)| next)
}

/// The result that says so.
pub fn result(problem: &Problem) -> CallToolResult {
    let next = next_step(problem.code);
    let instead = next.as_ref().and_then(|next| next.instead);
    let message = instead.unwrap_or(&problem.detail);
    let advice = next.as_ref().map(|next| next.advice);
    let mut text = format!("Refused ({}): {message}", problem.code);
    if let Some(field) = &problem.field {
        text.push_str(&format!(" [argument: {field}]"));
    }
    if let Some(advice) = advice {
        text.push_str(&format!("\nNext: {advice}."));
    }
    if let Some(seconds) = problem.retry_after {
        text.push_str(&format!("\nIt is worth trying again in {seconds} s."));
    }
    let mut refused = CallToolResult::error(vec![ContentBlock::text(text)]);
    refused.structured_content = Some(json!({
        "error": {
            "code": problem.code,
            "message": message,
            "field": problem.field,
            "advice": advice,
            "retry_after_seconds": problem.retry_after,
            "trace_id": problem.trace_id,
        }
    }));
    refused
}

/// Counts it, and leaves its event, as every other door does.
pub fn note(app: &App, who: &Principal, problem: &Problem) {
    let asker = Asker::at(None);
    asker.is(who.owner());
    app.refused(problem, &asker);
}

/// An argument is not as the tool takes it.
pub fn argument(name: impl Into<String>, sentence: impl Into<String>) -> Problem {
    Problem::with(HttpCode::FieldInvalid, sentence).field(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_the_tools_error_and_says_what_to_do() {
        let problem = Problem::new(HttpCode::SandboxNotFound);
        let result = result(&problem);
        assert_eq!(result.is_error, Some(true));
        let text = result.content[0].as_text().unwrap().text.clone();
        assert!(text.contains("sandbox_not_found") && text.contains("call start_session"));
        let facts = result.structured_content.unwrap();
        assert_eq!(facts["error"]["code"], "sandbox_not_found");
        let busy = Problem::new(HttpCode::RateLimited).retry_after(7);
        let text = super::result(&busy).content[0]
            .as_text()
            .unwrap()
            .text
            .clone();
        assert!(text.contains("again in 7 s"));
        let field = argument("files[0].path", "is missing");
        let text = super::result(&field).content[0]
            .as_text()
            .unwrap()
            .text
            .clone();
        assert!(text.contains("[argument: files[0].path]"));
    }
}
