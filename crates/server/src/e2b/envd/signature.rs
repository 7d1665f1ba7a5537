//! Signed addresses of files: `v1_` and the base64 of a SHA-256 over path, operation, user, the sandbox's token and the
//! time until which it counts. It stands in place of the token, and names the sandbox where nothing else does.

use crate::e2b::facts::E2bFacts;
use crate::problem::{HttpCode, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a signature allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// To read the file.
    Read,
    /// To write it.
    Write,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Operation::Read => "read",
            Operation::Write => "write",
        }
    }
}

/// What `/files` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct FilesQuery {
    /// Which file; absent: each part of a form has its own.
    #[serde(default)]
    pub path: Option<String>,
    /// As whom.
    #[serde(default)]
    pub username: Option<String>,
    /// In place of a token.
    #[serde(default)]
    pub signature: Option<String>,
    /// Until when it counts, in seconds since 1970-01-01 UTC.
    #[serde(default)]
    pub signature_expiration: Option<i64>,
}

impl FilesQuery {
    /// Whether the signature is one of this sandbox for this operation; it may have expired.
    pub fn is_signed_by(&self, facts: &E2bFacts, operation: Operation) -> bool {
        let Some(signature) = &self.signature else {
            return false;
        };
        let expected = self.signature(facts.tokens.access.reveal(), operation);
        // Older clients of JavaScript leave the padding.
        let presented = signature.trim_end_matches('=');
        presented.as_bytes().ct_eq(expected.as_bytes()).into()
    }

    fn signature(&self, token: &str, operation: Operation) -> String {
        let path = self.path.as_deref().unwrap_or_default();
        let user = self.username.as_deref().unwrap_or_default();
        let mut digest = Sha256::new();
        digest.update(format!("{path}:{}:{user}:{token}", operation.as_str()));
        if let Some(expiration) = self.signature_expiration {
            digest.update(format!(":{expiration}"));
        }
        format!("v1_{}", STANDARD_NO_PAD.encode(digest.finalize()))
    }

    /// Refuses a signature whose time is up.
    pub fn check_time(&self, now_seconds: i64) -> Result<(), Problem> {
        match self.signature_expiration {
            // Clients tell by these words.
            Some(until) if until < now_seconds => Err(Problem::with(
                HttpCode::Unauthorized,
                "signature is already expired",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::e2b::facts::Guard;
    use proptest::prelude::*;

    fn query(signature: &str, expiration: Option<i64>) -> FilesQuery {
        FilesQuery {
            path: Some("a.txt".into()),
            username: Some("user".into()),
            signature: Some(signature.into()),
            signature_expiration: expiration,
        }
    }

    #[test]
    fn a_signature_is_what_clients_compute() {
        // By E2B's client (get_signature), for the token `t`.
        let query = query("", None);
        assert_eq!(
            query.signature("t", Operation::Read),
            "v1_Fyig+TWr4iNmHYmwMoz+G1gfO0ymYqv2H2AxI03XOzU"
        );
    }

    #[test]
    fn it_counts_for_one_operation_until_its_time() {
        let facts = E2bFacts::new("base".into(), Guard::Token).unwrap();
        let signed = query("", Some(100)).signature(facts.tokens.access.reveal(), Operation::Read);
        let good = query(&signed, Some(100));
        assert!(good.is_signed_by(&facts, Operation::Read));
        assert!(!good.is_signed_by(&facts, Operation::Write));
        assert!(!query(&signed, Some(101)).is_signed_by(&facts, Operation::Read));
        assert!(!query(&signed, None).is_signed_by(&facts, Operation::Read));
        let other = E2bFacts::new("base".into(), Guard::Token).unwrap();
        assert!(!good.is_signed_by(&other, Operation::Read));
        assert!(good.check_time(100).is_ok());
        assert_eq!(good.check_time(101).unwrap_err().status, 401);
    }

    proptest! {
        #[test]
        fn no_other_text_counts(text in "\\PC{0,60}", expiration in prop::option::of(any::<i64>())) {
            let facts = E2bFacts::new("base".into(), Guard::Token).unwrap();
            prop_assert!(!query(&text, expiration).is_signed_by(&facts, Operation::Read));
        }
    }
}
