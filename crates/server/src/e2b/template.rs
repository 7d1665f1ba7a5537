//! Names of templates, as E2B's clients say them: two that they know, and those of images.

use crate::problem::Problem;
use axum::http::StatusCode;
use protocol::error_code::ErrorCode;

/// What clients ask for that name nothing.
const BASE_TEMPLATE: &str = "base";
/// What clients of the code interpreter ask for.
pub const INTERPRETER_TEMPLATE: &str = "code-interpreter-v1";

/// Whether a template's name is one of those that E2B's clients know.
pub fn is_own_template(name: &str) -> bool {
    [BASE_TEMPLATE, INTERPRETER_TEMPLATE].contains(&name)
}

/// A name without the tag that clients may append.
pub fn untagged(name: &str) -> &str {
    name.strip_suffix(":default").unwrap_or(name)
}

/// A template that is no image of ours is not there, for E2B's clients; one whose image nobody built is to be built.
pub fn of_template(problem: Problem, template: &str) -> Problem {
    let shown = protocol::validate::shown(template);
    let told = match problem.code {
        code if code == ErrorCode::ImageUnknown.as_str() => Problem {
            status: StatusCode::NOT_FOUND,
            detail: format!("template {shown} not found: {}", problem.detail),
            ..problem
        },
        code if code == ErrorCode::ImageMissing.as_str() => Problem {
            detail: format!(
                "the image of template {shown} is not built here; the operator runs: llm-firecracker images build {}",
                image_of(template).unwrap_or("agent")
            ),
            ..problem
        },
        _ => return problem,
    };
    told.field("templateID")
}

/// The image of a template; `None`: what a sandbox is made of where nothing is said.
pub fn image_of(template: &str) -> Option<&str> {
    match template {
        BASE_TEMPLATE => None,
        INTERPRETER_TEMPLATE => Some("python-data"),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::HttpCode;

    #[test]
    fn a_template_without_its_image_is_told_by_the_name_that_was_asked_for() {
        let missing = || Problem {
            code: ErrorCode::ImageMissing.as_str(),
            ..Problem::new(HttpCode::NotFound)
        };
        for (template, image) in [
            ("base", "agent"),
            (INTERPRETER_TEMPLATE, "python-data"),
            ("perl", "perl"),
        ] {
            let told = of_template(missing(), template).detail;
            assert!(told.contains(template), "{told}");
            assert!(told.ends_with(&format!("images build {image}")), "{told}");
        }
    }
}
