//! Downloads for images: bounded, with deadlines, over TLS as the host trusts it.

use std::time::{Duration, Instant};

const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
/// Of one file; a slow line brings 100 MiB in it.
const DOWNLOAD_DEADLINE: Duration = Duration::from_secs(900);
/// A registry that is busy, or a line that broke.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);

/// Keeps connections between files.
pub(crate) struct Downloads {
    agent: ureq::Agent,
    until: Option<Instant>,
}

/// What is fetched.
pub(crate) struct Fetch<'a> {
    pub(crate) url: &'a str,
    /// The wanted content type.
    pub(crate) accept: Option<&'a str>,
    pub(crate) max_bytes: u64,
}

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    #[error("it has more bytes than may come")]
    TooLarge,
    #[error("there was no time left for it")]
    Late,
    #[error("{0}")]
    Failed(String),
}

impl Downloads {
    /// All of them are over by then, if it is given.
    pub(crate) fn until(until: Option<Instant>) -> Downloads {
        use ureq::tls::{RootCerts, TlsConfig};
        // The host's own list, with what its operator added.
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT_DEADLINE))
            .timeout_global(Some(DOWNLOAD_DEADLINE))
            .tls_config(tls);
        Downloads {
            agent: config.build().into(),
            until,
        }
    }

    /// The bytes of a file, or why they did not come.
    pub(crate) fn get(&self, fetch: &Fetch<'_>) -> Result<Vec<u8>, DownloadError> {
        let mut tries = 1;
        loop {
            match self.once(fetch) {
                Ok(bytes) => return Ok(bytes),
                Err(error) if tries < TRIES && may_pass(&error) && !self.is_over() => {
                    std::thread::sleep(PAUSE * tries);
                    tries += 1;
                }
                Err(error) => return Err(self.why(error, fetch)),
            }
        }
    }

    /// The bytes of several files at a time, in their order.
    pub(crate) fn get_all(&self, fetches: &[Fetch<'_>]) -> Vec<Result<Vec<u8>, DownloadError>> {
        std::thread::scope(|scope| {
            let started: Vec<_> = fetches
                .iter()
                .map(|fetch| scope.spawn(|| self.get(fetch)))
                .collect();
            let ended = started.into_iter().map(|thread| thread.join());
            ended
                .map(|result| {
                    result.unwrap_or_else(|_| {
                        Err(DownloadError::Failed("its download broke off".to_owned()))
                    })
                })
                .collect()
        })
    }

    fn why(&self, error: ureq::Error, fetch: &Fetch<'_>) -> DownloadError {
        match error {
            ureq::Error::BodyExceedsLimit(_) => DownloadError::TooLarge,
            _ if self.is_over() => DownloadError::Late,
            error => DownloadError::Failed(format!("{}: {error}", fetch.url)),
        }
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() > until)
    }

    fn once(&self, fetch: &Fetch<'_>) -> Result<Vec<u8>, ureq::Error> {
        let mut request = self.agent.get(fetch.url);
        if let Some(until) = self.until {
            // A second for what is over is an error in a second.
            let left = until.saturating_duration_since(Instant::now());
            let left = left.clamp(Duration::from_secs(1), DOWNLOAD_DEADLINE);
            request = request.config().timeout_global(Some(left)).build();
        }
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
