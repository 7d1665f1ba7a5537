//! What a client is told when its sandbox, process or file is not as it asked. A guest's words are hostile:
//! they are cut, and stay on one line.

use crate::problem::{HttpCode, Problem};
use axum::http::StatusCode;
use sandbox::live::LiveError;

/// Characters of a guest's words that are repeated.
const MAX_WORDS: usize = 200;

/// What a client is told.
pub fn problem(error: LiveError) -> Problem {
    match error {
        LiveError::Gone(reason) | LiveError::Misbehaved(reason) => {
            tracing::warn!(reason, "a sandbox is gone");
            Problem::new(HttpCode::SandboxNotFound)
        }
        LiveError::NoProcess { .. } => Problem::new(HttpCode::ProcessNotFound),
        LiveError::NoContext { .. } => Problem::new(HttpCode::ContextNotFound),
        LiveError::NoInterpreter { language } => {
            let sentence =
                format!("{language} keeps no variables between programs: start processes");
            Problem::with(HttpCode::ContextUnsupported, sentence).field("language")
        }
        LiveError::NotStarted(reason)
        | LiveError::FilesRefused(reason)
        | LiveError::NotAdopted(reason) => {
            let sentence = format!("the process did not start: {}", plain(&reason));
            Problem::with(HttpCode::ProcessNotStarted, sentence)
        }
        LiveError::NoProgram { why, .. } => Problem {
            exit_code: Some(why.exit_code()),
            ..Problem::with(HttpCode::ProcessNotStarted, plain(&error.to_string()))
        },
        LiveError::Refused(rejection) => rejection.into(),
        LiveError::StdinClosed => Problem::new(HttpCode::StdinClosed),
        LiveError::NoTerminal => Problem::new(HttpCode::NoTerminal),
        LiveError::StillRunning => Problem::new(HttpCode::ProcessRunning),
        LiveError::TooManyProcesses { max } => {
            let sentence = format!("the sandbox keeps {max} processes; forget ended ones first");
            Problem::with(HttpCode::TooManyProcesses, sentence)
        }
        LiveError::TooMany { what, max } => {
            let sentence = format!("the sandbox has {max} {what} already; try again shortly");
            Problem::with(HttpCode::TooManyRequestsOpen, sentence).retry_after(1)
        }
        LiveError::File { errno, step } => file(errno, &step),
        LiveError::NotConnected { .. } => Problem {
            status: StatusCode::BAD_GATEWAY,
            ..Problem::with(HttpCode::NotFound, "nothing listens on the port")
        },
    }
}

fn file(errno: i32, step: &str) -> Problem {
    let code = code_of(errno);
    let system = std::io::Error::from_raw_os_error(errno).to_string();
    let why = match code {
        HttpCode::FileInvalid => system.split(" (os error").next().unwrap_or("").to_owned(),
        known => known.sentence().to_owned(),
    };
    Problem::with(code, format!("{}: {why}", plain(step)))
}

/// The code for a kernel's number.
fn code_of(errno: i32) -> HttpCode {
    match errno {
        libc::ENOENT => HttpCode::FileNotFound,
        libc::EACCES | libc::EPERM | libc::EROFS => HttpCode::FileForbidden,
        libc::EEXIST
        | libc::ENOTEMPTY
        | libc::EISDIR
        | libc::ENOTDIR
        | libc::EBUSY
        | libc::ETXTBSY => HttpCode::FileConflict,
        libc::EFBIG => HttpCode::FileTooLarge,
        libc::ENOSPC | libc::EDQUOT => HttpCode::DiskFull,
        _ => HttpCode::FileInvalid,
    }
}

/// A guest's words on one line.
pub fn plain(words: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    words.chars().take(MAX_WORDS).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox::live::NoProgram;

    #[test]
    fn a_clients_mistake_is_never_a_failure_of_ours() {
        let file = |errno| LiveError::File {
            errno,
            step: "opening".into(),
        };
        for (error, status, code) in [
            (LiveError::Gone("x".into()), 404, "sandbox_not_found"),
            (LiveError::NoProcess { id: 3 }, 404, "process_not_found"),
            (
                LiveError::NotStarted("x".into()),
                422,
                "process_not_started",
            ),
            (
                LiveError::NoProgram {
                    program: "x".into(),
                    why: NoProgram::Absent,
                },
                422,
                "process_not_started",
            ),
            (LiveError::NoContext { id: 3 }, 404, "context_not_found"),
            (
                LiveError::NoInterpreter { language: "go" },
                422,
                "context_unsupported",
            ),
            (LiveError::StdinClosed, 409, "stdin_closed"),
            (LiveError::NoTerminal, 409, "no_terminal"),
            (LiveError::StillRunning, 409, "process_running"),
            (
                LiveError::TooManyProcesses { max: 9 },
                429,
                "too_many_processes",
            ),
            (file(libc::ENOENT), 404, "file_not_found"),
            (file(libc::EACCES), 403, "file_forbidden"),
            (file(libc::EPERM), 403, "file_forbidden"),
            (file(libc::EROFS), 403, "file_forbidden"),
            (file(libc::EEXIST), 409, "file_conflict"),
            (file(libc::ENOTEMPTY), 409, "file_conflict"),
            (file(libc::EISDIR), 409, "file_conflict"),
            (file(libc::ENOTDIR), 409, "file_conflict"),
            (file(libc::EFBIG), 413, "file_too_large"),
            (file(libc::ENOSPC), 507, "disk_full"),
            (file(libc::EDQUOT), 507, "disk_full"),
            (file(libc::ELOOP), 422, "file_invalid"),
            (file(libc::ENAMETOOLONG), 422, "file_invalid"),
            (file(0), 422, "file_invalid"),
            (file(-5), 422, "file_invalid"),
            (file(i32::MAX), 422, "file_invalid"),
        ] {
            let problem = problem(error);
            assert_eq!((problem.status.as_u16(), problem.code), (status, code));
        }
    }

    /// As env(1) and docker tell them apart.
    #[test]
    fn a_program_that_is_not_to_be_had_is_named_with_a_shells_exit_code() {
        for (why, exit_code) in [(NoProgram::Absent, 127), (NoProgram::Forbidden, 126)] {
            let program = "nosuch\n".to_owned();
            let problem = problem(LiveError::NoProgram { program, why });
            assert_eq!(problem.body().exit_code, Some(exit_code));
            assert!(
                problem.detail.contains(r#""nosuch\n""#),
                "{}",
                problem.detail
            );
        }
        assert_eq!(problem(LiveError::NotStarted("x".into())).exit_code, None);
    }

    #[test]
    fn a_guests_words_stay_short_and_on_one_line() {
        let words = format!("no such\nprogram\x1b[31m{}", "x".repeat(9999));
        let detail = problem(LiveError::NotStarted(words)).detail;
        assert!(detail.contains("no such program") && detail.len() < 300);
        assert!(!detail.contains(char::is_control));
    }
}
