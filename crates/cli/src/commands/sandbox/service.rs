//! Requests to the service, by the HTTP client that the tool has. It blocks: a request has a thread of its own
//! ([`off_thread`]), which a command that ends does not wait for.

use super::address::{Base, Tls};
use super::problem::Problem;
use super::upload::Upload;
use crate::args::ServiceArgs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read;
use std::net::ToSocketAddrs as _;
use std::time::Duration;
use thiserror::Error;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, EXPECT, HeaderValue};
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::{AsSendBody, Body, SendBody};

/// From an address to a connection.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long a service may say nothing in the middle of an answer: it sends a sign of life every 15 seconds.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a service may think about a body before it is sent all the same.
const EXPECT_DEADLINE: Duration = Duration::from_secs(10);
/// The largest answer that is taken as a whole, in bytes: 256 processes, or as many sandboxes, have less.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;
/// The largest body of a refusal, in bytes.
const MAX_PROBLEM_BYTES: u64 = 64 * 1024;

/// Why a request came to nothing.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// No address at all.
    #[error("{0:?} is no address of a service: write one such as http://127.0.0.1:8080")]
    Address(String),
    /// No key that could be sent. It is not shown.
    #[error("the key is no API key: it has characters that no key has")]
    Key,
    /// Nobody is there.
    #[error(
        "there is no service at {url} ({reason}): start one with `llm-firecracker serve`, or name another with --url or LLM_FIRECRACKER_URL"
    )]
    Absent {
        /// Where.
        url: String,
        /// In the words of the system.
        reason: String,
    },
    /// The service says no.
    #[error("{0}")]
    Refused(Problem),
    /// Somebody answers, and not as this service does.
    #[error(
        "{url} answers with {what}, which no service of llm-firecracker does: is the address right?"
    )]
    Stranger {
        /// Where.
        url: String,
        /// A status, or what is wrong with the answer.
        what: String,
    },
    /// The connection ended in the middle.
    #[error("the connection to the service ended too early: {0}")]
    Cut(String),
    /// This side failed.
    #[error("{0}")]
    Here(String),
}

/// A service, and who asks it. Its copies share their connections.
#[derive(Clone)]
pub struct Service {
    agent: ureq::Agent,
    /// Where it is.
    pub base: Base,
    key: Option<HeaderValue>,
}

impl Service {
    /// The service that was named.
    pub fn of(args: &ServiceArgs) -> Result<Service, ServiceError> {
        Service::with(args, None)
    }

    /// The same, where each answer is there in this time or is none.
    pub fn of_within(args: &ServiceArgs, time: Duration) -> Result<Service, ServiceError> {
        Service::with(args, Some(time))
    }

    fn with(args: &ServiceArgs, time: Option<Duration>) -> Result<Service, ServiceError> {
        let base = Base::of(args.url.as_deref())?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(time)
            .timeout_connect(Some(CONNECT_DEADLINE))
            .timeout_await_100(Some(EXPECT_DEADLINE));
        // A key is not for a proxy that could read it.
        let config = match base.tls {
            Tls::On => config,
            Tls::Off => config.proxy(None),
        };
        Ok(Service {
            agent: config.build().into(),
            key: key(args)?,
            base,
        })
    }

    /// What says who asks, as a header's value.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.key.as_ref()
    }

    /// Asks for this; the answer's JSON.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ServiceError> {
        let answer = self.send(self.request(Method::GET, path, ())?)?;
        self.json(answer)
    }

    /// Sends this JSON; the answer's JSON.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        value: &impl Serialize,
    ) -> Result<T, ServiceError> {
        let answer = self.send(self.with_json(path, value)?)?;
        self.json(answer)
    }

    /// Sends this JSON to what answers with nothing.
    pub fn tell(&self, path: &str, value: &impl Serialize) -> Result<(), ServiceError> {
        self.send(self.with_json(path, value)?).map(drop)
    }

    /// Posts nothing there.
    pub fn nudge(&self, path: &str) -> Result<(), ServiceError> {
        self.send(self.request(Method::POST, path, ())?).map(drop)
    }

    /// Removes this.
    pub fn delete(&self, path: &str) -> Result<(), ServiceError> {
        self.send(self.request(Method::DELETE, path, ())?).map(drop)
    }

    /// Sends this JSON; the answer is lines of JSON, as they come.
    pub fn post_for_lines(&self, path: &str, value: &impl Serialize) -> Result<Body, ServiceError> {
        let mut request = self.with_json(path, value)?;
        request.headers_mut().insert(ACCEPT, LINES);
        self.stream(request)
    }

    /// Asks for this; the answer is lines of JSON, as they come.
    pub fn get_lines(&self, path: &str) -> Result<Body, ServiceError> {
        let mut request = self.request(Method::GET, path, ())?;
        request.headers_mut().insert(ACCEPT, LINES);
        self.stream(request)
    }

    /// Asks for bytes, of any number.
    pub fn get_bytes(&self, path: &str) -> Result<Body, ServiceError> {
        self.stream(self.request(Method::GET, path, ())?)
    }

    /// Sends bytes, of any number, as they come, until their end or a refusal. What is refused at once is not read.
    pub fn send_bytes(
        &self,
        method: Method,
        path: &str,
        bytes: &mut dyn Read,
    ) -> Result<(), ServiceError> {
        let upload = Upload::as_by(&self.agent);
        let mut bytes = upload.body(bytes);
        let mut request = self.request(method, path, SendBody::from_reader(&mut bytes))?;
        let headers = request.headers_mut();
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        let plain = HeaderValue::from_static("application/octet-stream");
        headers.insert(CONTENT_TYPE, plain);
        self.send_by(&upload.agent, request).map(drop)
    }

    fn request<B>(&self, method: Method, path: &str, body: B) -> Result<Request<B>, ServiceError> {
        let url = format!("{}{path}", self.base.text);
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .body(body)
            .map_err(|_| ServiceError::Address(url))?;
        if let Some(key) = &self.key {
            request.headers_mut().insert(AUTHORIZATION, key.clone());
        }
        Ok(request)
    }

    fn with_json(
        &self,
        path: &str,
        value: &impl Serialize,
    ) -> Result<Request<Vec<u8>>, ServiceError> {
        let body = serde_json::to_vec(value).map_err(|e| ServiceError::Cut(e.to_string()))?;
        let mut request = self.request(Method::POST, path, body)?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        Ok(request)
    }

    fn stream(&self, request: Request<impl AsSendBody>) -> Result<Body, ServiceError> {
        let request = self.agent.configure_request(request);
        let request = request.timeout_per_read(Some(SILENCE)).build();
        Ok(self.send(request)?.into_body())
    }

    fn send(&self, request: Request<impl AsSendBody>) -> Result<Response<Body>, ServiceError> {
        self.send_by(&self.agent, request)
    }

    fn send_by(
        &self,
        agent: &ureq::Agent,
        request: Request<impl AsSendBody>,
    ) -> Result<Response<Body>, ServiceError> {
        let answer = agent.run(request).map_err(|e| self.unsent(e))?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(self.refused(answer)),
        }
    }

    fn refused(&self, mut answer: Response<Body>) -> ServiceError {
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(MAX_PROBLEM_BYTES);
        self.no(status, &body.read_to_vec().unwrap_or_default())
    }

    /// The error that an answer without success is.
    pub fn no(&self, status: StatusCode, body: &[u8]) -> ServiceError {
        match Problem::of(body) {
            Some(problem) => ServiceError::Refused(problem),
            None => self.stranger(format_args!("status {status}")),
        }
    }

    fn json<T: DeserializeOwned>(&self, mut answer: Response<Body>) -> Result<T, ServiceError> {
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        let body = body.read_to_vec();
        let body = body.map_err(|error| ServiceError::Cut(error.to_string()))?;
        let value = serde_json::from_slice(&body);
        value.map_err(|error| self.stranger(format_args!("other JSON ({error})")))
    }

    /// Somebody else answers there.
    pub fn stranger(&self, what: impl ToString) -> ServiceError {
        ServiceError::Stranger {
            url: self.base.text.clone(),
            what: what.to_string(),
        }
    }

    /// Nobody answers there.
    pub fn absent(&self, reason: impl ToString) -> ServiceError {
        ServiceError::Absent {
            url: self.base.text.clone(),
            reason: reason.to_string(),
        }
    }

    fn unsent(&self, error: ureq::Error) -> ServiceError {
        use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
        match error {
            ureq::Error::Io(io)
                if matches!(
                    io.kind(),
                    ConnectionRefused | HostUnreachable | NetworkUnreachable
                ) =>
            {
                self.absent(io)
            }
            ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                self.absent(error)
            }
            ureq::Error::Protocol(_) => self.stranger("no HTTP"),
            // The system's resolver has no kind of error of its own.
            ureq::Error::Io(io) => {
                match (self.base.host.as_str(), self.base.port).to_socket_addrs() {
                    Ok(_) => ServiceError::Cut(io.to_string()),
                    Err(unknown) => self.absent(unknown),
                }
            }
            other => ServiceError::Cut(other.to_string()),
        }
    }
}

const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");

fn key(args: &ServiceArgs) -> Result<Option<HeaderValue>, ServiceError> {
    let Some(key) = args.key.as_ref().filter(|key| !key.0.is_empty()) else {
        return Ok(None);
    };
    let value = HeaderValue::try_from(format!("Bearer {}", key.0));
    let mut value = value.map_err(|_| ServiceError::Key)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Does in a thread of its own what blocks. One who no longer waits for it leaves it to itself.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ServiceError::Cut(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::TcpListener;

    fn service(url: &str, key: Option<&str>) -> Result<Service, ServiceError> {
        Service::of(&ServiceArgs {
            url: Some(url.to_owned()),
            key: key.map(|key| key.parse().unwrap()),
        })
    }

    #[test]
    fn a_key_that_cannot_be_one_is_refused_and_not_shown() {
        for (key, fine) in [
            (None, true),
            (Some(""), true),
            (Some("lf_abc"), true),
            (Some("secret\nx"), false),
        ] {
            let made = service("http://127.0.0.1:1", key);
            assert_eq!(made.is_ok(), fine, "{key:?}");
            if let Err(error) = made {
                assert!(!error.to_string().contains("secret"));
            }
        }
    }

    /// What stands at the other end, and what is said of it.
    #[test]
    fn whoever_answers_is_told_apart() {
        let problem = r#"{"detail":"no","code":"forbidden"}"#;
        let problem = format!(
            "HTTP/1.1 403 F\r\ncontent-length: {}\r\n\r\n{problem}",
            problem.len()
        );
        for (answer, said) in [
            (problem.as_str(), "no [forbidden]"),
            (
                "HTTP/1.1 502 B\r\ncontent-length: 0\r\n\r\n",
                "answers with status 502",
            ),
            (
                "HTTP/1.1 302 F\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n",
                "answers with status 302",
            ),
            (
                "HTTP/1.1 200 O\r\ncontent-length: 2\r\n\r\nhi",
                "other JSON",
            ),
            (
                "HTTP/1.1 200 O\r\ncontent-length: 9\r\n\r\n[",
                "ended too early",
            ),
            ("SSH-2.0-x\r\n\r\n", "answers with no HTTP"),
            ("", "ended too early"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let answer = answer.to_owned();
            let other = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]);
                stream.write_all(answer.as_bytes()).unwrap();
            });
            let done = service(&url, None).unwrap().get::<Vec<u8>>("/");
            let error = done.unwrap_err().to_string();
            assert!(error.contains(said), "{said}: {error}");
            other.join().unwrap();
        }
    }

    #[test]
    fn nobody_there_is_said_with_what_to_do() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = service(&url, None).unwrap().delete("/").unwrap_err();
        assert!(matches!(error, ServiceError::Absent { .. }), "{error}");
        assert!(error.to_string().contains("llm-firecracker serve"));
    }
}
