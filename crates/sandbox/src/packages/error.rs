//! Why there is no image with what was asked for: the request's own fault, or another's.

use super::words::public;
use crate::error::{JobError, Why};
use images::ImageError;
use images::resolve::ResolveError;
use protocol::error_code::ErrorCode;
use protocol::packages::PackageError;
use protocol::packages::program;
use protocol::validate::Rejection;

/// The request's field.
const FIELD: &str = "packages";

/// Why a language cannot be had with packages.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PackagesError {
    /// Another request would do. Its words are fit for a client.
    #[error(transparent)]
    Refused(Rejection),
    /// Another host or another time would do. Its words are the operator's.
    #[error(transparent)]
    Failed(JobError),
}

impl From<PackageError> for PackagesError {
    fn from(error: PackageError) -> PackagesError {
        PackagesError::Refused(program::refused(FIELD, &error))
    }
}

impl From<Why> for PackagesError {
    fn from(why: Why) -> PackagesError {
        PackagesError::Failed(why.into())
    }
}

impl From<ImageError> for PackagesError {
    fn from(error: ImageError) -> PackagesError {
        match error {
            ImageError::Resolve(error) => resolve(*error),
            ImageError::TooLarge { size, bound, .. } => unresolved(format!(
                "with the packages the image has {size} bytes, more than its bound of {bound}"
            )),
            // Of the image below.
            ImageError::Missing { .. } | ImageError::Stale { .. } | ImageError::Damaged { .. } => {
                Why::Image(error).into()
            }
            error => Why::Packages(error).into(),
        }
    }
}

fn resolve(error: ResolveError) -> PackagesError {
    match error {
        ResolveError::Refused(error) if !matches!(error, PackageError::Rules { .. }) => {
            error.into()
        }
        ResolveError::NoSolution { words } => unresolved(
            ResolveError::NoSolution {
                words: public(&words),
            }
            .to_string(),
        ),
        error if error.is_of_request() => unresolved(error.to_string()),
        error => Why::Packages(error.into()).into(),
    }
}

fn unresolved(message: String) -> PackagesError {
    PackagesError::Refused(Rejection::new(
        ErrorCode::PackagesUnresolved,
        FIELD,
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::packages::Registry;
    use std::path::PathBuf;

    fn of(error: ResolveError) -> PackagesError {
        ImageError::from(error).into()
    }

    #[test]
    fn what_is_the_requests_fault_says_so_without_a_word_of_the_host() {
        let words =
            "Because six was not found in the registry at https://host/simple (see /var/lib/x)\n\
                     and you require six, no versions go together."
                .to_owned();
        for (error, code, told) in [
            (
                of(ResolveError::NoSolution { words }),
                ErrorCode::PackagesUnresolved,
                "you require six",
            ),
            (
                of(ResolveError::TooLong { seconds: 9 }),
                ErrorCode::PackagesUnresolved,
                "9 s",
            ),
            (
                of(ResolveError::Refused(PackageError::TooManyResolved {
                    count: 3,
                    bound: 2,
                })),
                ErrorCode::PackagesRefused,
                "3 packages",
            ),
        ] {
            let PackagesError::Refused(rejection) = error else {
                panic!("{error}");
            };
            assert_eq!((rejection.code, rejection.field), (code, "packages"));
            assert!(rejection.message.contains(told), "{rejection}");
            for inside in ["host", "/var"] {
                assert!(!rejection.message.contains(inside), "{rejection}");
            }
        }
    }

    #[test]
    fn what_is_not_keeps_its_cause_for_the_operator() {
        let io = ImageError::NoSpace {
            path: PathBuf::from("/var/lib/x"),
            doing: "packing".to_owned(),
        };
        let unreachable = ResolveError::Unreachable {
            registry: Registry::Npm,
            words: "ECONNREFUSED".to_owned(),
        };
        for (error, told) in [(io.into(), "/var/lib/x"), (of(unreachable), "ECONNREFUSED")] {
            let PackagesError::Failed(error) = error else {
                panic!("{error}");
            };
            assert_eq!(error.code(), ErrorCode::PackagesUnavailable);
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}
