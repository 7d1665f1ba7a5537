//! What a client attaches to a file that it sends: a header each, `X-Metadata-KEY: VALUE`.

use crate::problem::{HttpCode, Problem};
use axum::http::{HeaderMap, HeaderValue};
use protocol::supervisor::{MAX_METADATA_BYTES, Metadata};
use protocol::validate::shown;

/// Before each key.
const PREFIX: &str = "x-metadata-";

/// All of a request, in order of the keys; of a key that is there twice, the first value. A key that is no more than the
/// prefix is none, as for E2B's daemon.
pub fn of(headers: &HeaderMap) -> Result<Metadata, Problem> {
    let names = headers.keys().map(|name| name.as_str());
    let mut keys: Vec<&str> = names
        .filter_map(|name| name.strip_prefix(PREFIX))
        .filter(|key| !key.is_empty())
        .collect();
    keys.sort_unstable();
    let mut metadata = Metadata::default();
    for key in keys {
        let value = headers.get(format!("{PREFIX}{key}"));
        let value = value.and_then(text).ok_or_else(|| {
            let sentence = format!("the metadata {} is not printable ASCII", shown(key));
            Problem::with(HttpCode::FieldInvalid, sentence)
        })?;
        if !metadata.add(key.to_owned(), value.to_owned()) {
            let sentence = format!(
                "the metadata of a file is over {MAX_METADATA_BYTES} bytes, or its key {} is too long",
                shown(key)
            );
            return Err(Problem::with(HttpCode::FieldInvalid, sentence));
        }
    }
    Ok(metadata)
}

fn text(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
    text.bytes().all(is_printable).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;
    use protocol::supervisor::MAX_METADATA_KEY_BYTES;

    fn headers(pairs: &[(&str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_header_is_a_pair() {
        let sent = headers(&[
            ("X-Metadata-Purpose", b"up load"),
            ("x-metadata-author", b"mish"),
            ("x-metadata-author", b"another"),
            ("x-metadata-", b"nothing"),
            ("x-other", b"\xff"),
        ]);
        let metadata = of(&sent).unwrap();
        let pairs: Vec<_> = metadata.pairs().collect();
        assert_eq!(pairs, [("author", "mish"), ("purpose", "up load")]);
    }

    #[test]
    fn what_cannot_be_attached_is_the_clients_mistake() {
        let long = format!("{PREFIX}{}", "k".repeat(MAX_METADATA_KEY_BYTES + 1));
        let much = vec![b'v'; MAX_METADATA_BYTES];
        for wrong in [
            headers(&[("x-metadata-a", b"\xff")]),
            headers(&[("x-metadata-a", b"tab\tbed")]),
            headers(&[("x-metadata-a", &much)]),
            headers(&[(&long, b"v")]),
        ] {
            assert_eq!(of(&wrong).unwrap_err().status, 400);
        }
    }
}
