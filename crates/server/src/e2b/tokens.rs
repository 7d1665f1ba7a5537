//! The secrets of one sandbox: who has one of them may use the sandbox without its key, as E2B's clients do.

use crate::error::ServerError;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// Random bytes of a token: as many as of a key.
const TOKEN_BYTES: usize = 32;

/// The tokens of one sandbox.
#[derive(Debug)]
pub struct Tokens {
    /// Opens processes and files (`X-Access-Token`).
    pub access: Token,
    /// Opens what listens on a port of the sandbox, the code interpreter among it (`E2B-Traffic-Access-Token`).
    pub traffic: Token,
}

impl Tokens {
    /// New ones, fresh from the host's generator.
    pub fn generate() -> Result<Tokens, ServerError> {
        Ok(Tokens {
            access: Token::generate()?,
            traffic: Token::generate()?,
        })
    }
}

/// The tokens of one sandbox as they are kept beside what was saved of it, in a file that only the service reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldTokens {
    /// See [`Tokens`].
    pub access: Token,
    /// See [`Tokens`].
    pub traffic: Token,
}

impl Tokens {
    /// For who keeps them.
    pub fn held(&self) -> HeldTokens {
        HeldTokens {
            access: self.access.clone(),
            traffic: self.traffic.clone(),
        }
    }
}

impl From<HeldTokens> for Tokens {
    fn from(HeldTokens { access, traffic }: HeldTokens) -> Tokens {
        Tokens { access, traffic }
    }
}

/// One secret, in lower-case hex.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    fn generate() -> Result<Token, ServerError> {
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random).map_err(ServerError::NoRandomness)?;
        Ok(Token(hex::encode(random)))
    }

    /// The secret itself, for its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this text is it; takes the same time wherever they differ.
    pub fn is(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    /// Nothing of the secret reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_only_and_is_not_printed() {
        let tokens = Tokens::generate().unwrap();
        assert!(tokens.access.is(tokens.access.reveal()));
        for other in [
            "",
            "0",
            tokens.traffic.reveal(),
            &format!("{}0", tokens.access.reveal()),
        ] {
            assert!(!tokens.access.is(other));
        }
        assert!(!format!("{tokens:?}").contains(tokens.access.reveal()));
    }
}
