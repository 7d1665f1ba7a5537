//! Downloads for images: bounded, with deadlines, over TLS as the host trusts it.

use std::time::Duration;

const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
/// Of one file; a slow line brings 100 MiB in it.
const DOWNLOAD_DEADLINE: Duration = Duration::from_secs(900);
/// A registry that is busy, or a line that broke.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);

/// Keeps connections between files.
pub(crate) struct Downloads(ureq::Agent);

/// What is fetched.
pub(crate) struct Fetch<'a> {
    pub(crate) url: &'a str,
    /// The wanted content type.
    pub(crate) accept: Option<&'a str>,
    pub(crate) max_bytes: u64,
}

impl Downloads {
    pub(crate) fn new() -> Downloads {
        use ureq::tls::{RootCerts, TlsConfig};
        // The host's own list, with what its operator added.
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT_DEADLINE))
            .timeout_global(Some(DOWNLOAD_DEADLINE))
            .tls_config(tls);
        Downloads(config.build().into())
    }

    /// The bytes of a file, or why they did not come.
    pub(crate) fn get(&self, fetch: &Fetch<'_>) -> Result<Vec<u8>, String> {
        let mut tries = 1;
        loop {
            match self.once(fetch) {
                Ok(bytes) => return Ok(bytes),
                Err(error) if tries < TRIES && may_pass(&error) => {
                    std::thread::sleep(PAUSE * tries);
                    tries += 1;
                }
                Err(error) => return Err(format!("{}: {error}", fetch.url)),
            }
        }
    }

    fn once(&self, fetch: &Fetch<'_>) -> Result<Vec<u8>, ureq::Error> {
        let mut request = self.0.get(fetch.url);
        if let Some(accept) = fetch.accept {
            request = request.header("accept", accept);
        }
        let mut answer = request.call()?;
        let body = answer.body_mut().with_config().limit(fetch.max_bytes);
        body.read_to_vec()
    }
}

/// Whether another try may end otherwise.
fn may_pass(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::StatusCode(code) => *code == 429 || *code >= 500,
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::BadUri(_) => false,
        _ => true,
    }
}
