//! Bodies that come compressed: gzip, which Piston's clients and some proxies send. What comes out is
//! bounded as what comes in is, so a bomb ends where a plain body would.

use crate::problem::{HttpCode, Problem};
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use protocol::validate::shown;
use std::io::Read as _;

/// Bytes that are inflated between two looks at the bounds.
const STEP_BYTES: usize = 64 * 1024;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
}

impl Coding {
    /// What the header says; every other coding is refused with its name.
    pub fn of(headers: &HeaderMap) -> Result<Coding, Problem> {
        let mut coding = Coding::Identity;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let text = String::from_utf8_lossy(value.as_bytes());
            let known = match text.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" if coding == Coding::Identity => Coding::Gzip,
                _ => return Err(unsupported(&text)),
            };
            coding = known;
        }
        Ok(coding)
    }
}

fn unsupported(text: &str) -> Problem {
    let sentence = format!(
        "the content encoding {} is not known here; {}",
        shown(text),
        HttpCode::ContentEncodingUnsupported.sentence()
    );
    // The body is not read: the connection cannot go on.
    Problem::with(HttpCode::ContentEncodingUnsupported, sentence).close()
}

/// Inflates a body. `room` is asked before each step keeps its bytes, and may refuse them.
pub fn gunzip(
    bytes: &[u8],
    mut room: impl FnMut(usize) -> Result<(), Problem>,
) -> Result<Vec<u8>, Problem> {
    let mut decoder = MultiGzDecoder::new(bytes);
    let mut out = Vec::new();
    let mut step = vec![0; STEP_BYTES];
    loop {
        let read = decoder.read(&mut step).map_err(|_| {
            Problem::with(
                HttpCode::JsonInvalid,
                "the request's body is not valid gzip",
            )
        })?;
        if read == 0 {
            return Ok(out);
        }
        room(read)?;
        out.extend_from_slice(&step[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn coding(values: &[&str]) -> Result<Coding, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
        }
        Coding::of(&headers).map_err(|problem| problem.detail)
    }

    #[test]
    fn gzip_is_known_and_every_other_coding_is_named() {
        assert_eq!(coding(&[]), Ok(Coding::Identity));
        assert_eq!(coding(&["identity"]), Ok(Coding::Identity));
        assert_eq!(coding(&[" GZip "]), Ok(Coding::Gzip));
        for (values, named) in [
            (&["br"][..], "\"br\""),
            (&["gzip, gzip"], "\"gzip, gzip\""),
            (&["gzip", "gzip"], "\"gzip\""),
            (&["zstd\t"], "\"zstd"),
        ] {
            let detail = coding(values).unwrap_err();
            assert!(detail.contains(named), "{detail}");
        }
    }

    #[test]
    fn a_bomb_ends_at_the_bound() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 128 << 10);
        let (bound, mut sum) = (1 << 20, 0);
        let refused = gunzip(&bomb, |bytes| {
            sum += bytes;
            match sum > bound {
                true => Err(Problem::new(HttpCode::BodyTooLarge)),
                false => Ok(()),
            }
        });
        assert_eq!(refused.unwrap_err().code, "body_too_large");
        assert!(sum <= bound + STEP_BYTES);
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_back_and_half_of_it_is_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..2000), cut in any::<prop::sample::Index>(),
        ) {
            let whole = gzip(&bytes);
            prop_assert_eq!(gunzip(&whole, |_| Ok(())).unwrap(), bytes);
            let half = &whole[..1 + cut.index(whole.len() - 1)];
            if half.len() < whole.len() {
                prop_assert!(gunzip(half, |_| Ok(())).is_err());
            }
        }

        #[test]
        fn garbage_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = gunzip(&bytes, |_| Ok(()));
        }
    }
}
