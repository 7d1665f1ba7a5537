//! One HTTP/1.1 connection: a request, its answer, how long it took.

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

/// A connection that ended before its answer.
pub type Lost = Box<dyn std::error::Error + Send + Sync>;

/// One connection; closed when dropped.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    _connection: AbortOnDropHandle<()>,
}

/// An answer.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Its JSON, `null` when there is none.
    pub body: Value,
    /// From the first byte out to the last byte in.
    pub took: Duration,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Client, Lost> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // How it ended is seen at the request.
        let task = tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Client {
            sender,
            host: HeaderValue::try_from(address.to_string())?,
            _connection: AbortOnDropHandle::new(task),
        })
    }

    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> Result<HttpAnswer, Lost> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Has a program run.
    pub async fn execute(&mut self, job: &Bytes) -> Result<HttpAnswer, Lost> {
        self.send(Method::POST, "/api/v1/execute", job.clone())
            .await
    }

    /// Sends a request; its answer as soon as that begins. The next one waits until that answer was read.
    pub async fn begin(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Lost> {
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<HttpAnswer, Lost> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let begun = Instant::now();
        let response = self.begin(request).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(HttpAnswer {
            status,
            took: begun.elapsed(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        })
    }
}

/// A job of python's that prints and ends.
pub fn hello() -> Bytes {
    let job = json!({ "language": "python", "code": "print('hello')", "artifacts": false });
    job.to_string().into()
}

/// A job of python's that holds its place that long.
pub fn sleeper(time: Duration) -> Bytes {
    let seconds = time.as_secs();
    let code = format!("import time; time.sleep({seconds})");
    let job = json!({ "language": "python", "code": code, "timeout": seconds + 1 });
    job.to_string().into()
}

/// The program ran and printed what it should.
pub fn is_hello(answer: &HttpAnswer) -> bool {
    answer.status == 200 && answer.body["stdout"] == "hello\n"
}
