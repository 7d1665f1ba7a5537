//! Paths of a sandbox's files, as clients send them: absolute, and the guest's own business besides. What they lead to
//! is decided in the guest, as the sandbox's user.

use crate::problem::{HttpCode, Problem};
use protocol::supervisor::MAX_PATH_BYTES;

/// Accepts a path that the guest can be asked for; the field is the one to blame.
pub fn check(field: &'static str, path: &str) -> Result<(), Problem> {
    let wrong = if path.len() > MAX_PATH_BYTES {
        format!(
            "{field} has {} bytes, allowed are {MAX_PATH_BYTES}",
            path.len()
        )
    } else if !path.starts_with('/') {
        format!("{field} is not absolute: it begins with a slash, as in /work/a.txt")
    } else if path.contains('\0') {
        format!("{field} has a NUL")
    } else {
        return Ok(());
    };
    Err(Problem::with(HttpCode::FieldInvalid, wrong).field(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_bounded() {
        let longest = format!("/{}", "x".repeat(MAX_PATH_BYTES - 1));
        for fine in ["/", "/work/a b/ü.txt", "/work/../etc", "/a\nb", &longest] {
            assert!(check("path", fine).is_ok(), "{fine:.40}");
        }
        for wrong in ["", "a", "./a", "~/a", "/a\0b", &format!("{longest}x")] {
            let problem = check("from", wrong).unwrap_err();
            assert_eq!(
                (problem.code, problem.field.as_deref()),
                ("field_invalid", Some("from"))
            );
        }
    }
}
