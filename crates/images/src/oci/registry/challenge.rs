//! What a registry wants to know before it answers: the header `WWW-Authenticate`.

/// How it is to be told who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Basic,
    Bearer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) scheme: Scheme,
    /// Who gives tokens; a URL.
    pub(super) realm: String,
    pub(super) service: Option<String>,
    pub(super) scope: Option<String>,
}

impl Challenge {
    /// The first challenge of a header, if it is one that can be met.
    pub(super) fn parse(header: &str) -> Option<Challenge> {
        let (scheme, mut rest) = header.trim().split_once(' ')?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "basic" => Scheme::Basic,
            "bearer" => Scheme::Bearer,
            _ => return None,
        };
        let mut challenge = Challenge {
            scheme,
            realm: String::new(),
            service: None,
            scope: None,
        };
        while let Some((key, value, after)) = parameter(rest) {
            rest = after;
            match key.to_ascii_lowercase().as_str() {
                "realm" => value.clone_into(&mut challenge.realm),
                "service" => challenge.service = Some(value.to_owned()),
                "scope" => challenge.scope = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(challenge)
    }
}

/// `key="value"`, and what follows the comma.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.split_once('=')?;
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
    };
    Some((key.trim().trim_start_matches(',').trim(), value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_taken_apart() {
        let header = r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let seen = Challenge::parse(header).unwrap();
        assert_eq!(seen.scheme, Scheme::Bearer);
        assert_eq!(seen.realm, "https://auth.example/token");
        assert_eq!(seen.service.as_deref(), Some("registry.example"));
        assert_eq!(seen.scope.as_deref(), Some("repository:a/b:pull,push"));
        let seen = Challenge::parse("basic realm=x, charset=\"UTF-8\"").unwrap();
        assert_eq!((seen.scheme, &*seen.realm), (Scheme::Basic, "x"));
        assert_eq!(Challenge::parse("Negotiate abc"), None);
        assert_eq!(Challenge::parse("Bearer"), None);
    }
}
