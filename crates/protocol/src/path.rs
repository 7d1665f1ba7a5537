//! Paths that a client or a guest names: relative, plain, and never out of their folder.

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 255;

/// Why a path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Empty, or longer than [`MAX_PATH_BYTES`].
    #[error("a path has 1 to {MAX_PATH_BYTES} bytes")]
    Length,
    /// Starts at the root.
    #[error("a path is relative to the work folder")]
    Absolute,
    /// Has an empty, `.` or `..` component.
    #[error("a path has no empty, '.' or '..' part")]
    Component,
    /// Has a NUL or another control character.
    #[error("a path has no control characters")]
    Control,
}

/// Accepts a path that stays below the folder it is joined to.
pub fn check_relative(path: &str) -> Result<(), PathError> {
    if path.is_empty() || path.len() > MAX_PATH_BYTES {
        return Err(PathError::Length);
    }
    if path.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute);
    }
    if path
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..")
    {
        return Err(PathError::Component);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_paths_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            ".",
            "a\0b",
            "a\nb",
        ] {
            assert!(check_relative(path).is_err(), "{path:?}");
        }
        assert!(check_relative(&"x".repeat(4096)).is_err());
    }

    #[test]
    fn odd_but_plain_names_are_just_files() {
        for path in ["-rf", "a b", ";id", "d/e.txt", "...", "ü"] {
            assert_eq!(check_relative(path), Ok(()), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_below(path in "[a-z./]{0,40}") {
            if check_relative(&path).is_ok() {
                let joined = std::path::Path::new("/work").join(&path);
                prop_assert!(joined.components().all(|c| c != std::path::Component::ParentDir));
                prop_assert!(joined.starts_with("/work"));
            }
        }
    }
}
