//! Sends to the collector with the HTTP client that the tool has for its downloads: the exporter's own would
//! be a second one. It blocks, on the exporters' own threads only.

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use std::time::Duration;

/// The protocol's default for one export (OTEL_EXPORTER_OTLP_TIMEOUT), connecting included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A collector answers with a few numbers; more is not its answer.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;

/// One for each exporter.
#[derive(Debug)]
pub(super) struct Client(ureq::Agent);

impl Client {
    pub(super) fn new() -> Client {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Client(config.into())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.to_vec());
        let (parts, mut body) = self.0.run(request)?.into_parts();
        let answer = body.with_config().limit(MAX_ANSWER_BYTES).read_to_vec()?;
        Ok(Response::from_parts(parts, answer.into()))
    }
}
