//! A sandbox of the service that is measured.

use super::LANGUAGE;
use super::feed::{Feed, Form};
use crate::BenchError;
use crate::http::client::{Client, Lost};
use crate::http::daemon::Daemon;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, header};
use serde_json::{Value, json};
use std::net::SocketAddr;

const SANDBOXES: &str = "/api/v1/sandboxes";

/// A sandbox, and one connection that asks for it.
pub struct Room {
    /// Where the service listens.
    pub address: SocketAddr,
    /// Its path at the service.
    pub path: String,
    client: Client,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    /// Behind the sandbox's own.
    path: String,
    accept: &'static str,
    body: Bytes,
}

impl Ask {
    /// What is there.
    pub fn get(path: impl Into<String>) -> Ask {
        Ask {
            method: Method::GET,
            path: path.into(),
            accept: "*/*",
            body: Bytes::new(),
        }
    }

    /// With this JSON.
    pub fn post(path: impl Into<String>, value: &Value) -> Ask {
        Ask::post_bytes(path, value.to_string())
    }

    /// With these bytes.
    pub fn post_bytes(path: impl Into<String>, body: impl Into<Bytes>) -> Ask {
        Ask {
            method: Method::POST,
            body: body.into(),
            ..Ask::get(path)
        }
    }

    /// These bytes there.
    pub fn put(path: impl Into<String>, body: Bytes) -> Ask {
        Ask {
            method: Method::PUT,
            body,
            ..Ask::get(path)
        }
    }

    /// Away with it.
    pub fn delete(path: impl Into<String>) -> Ask {
        Ask {
            method: Method::DELETE,
            ..Ask::get(path)
        }
    }
}

impl Room {
    /// What a part finds out in a sandbox of its own; what goes wrong there is said of that part.
    pub async fn with<T>(
        daemon: &Daemon,
        part: &str,
        work: impl AsyncFnOnce(&mut Room) -> Result<T, Lost>,
    ) -> Result<T, BenchError> {
        let mut room = Room::open(daemon).await?;
        let found = work(&mut room).await;
        let found = found.map_err(|error| failed(part, &error))?;
        room.close().await?;
        Ok(found)
    }

    /// Begins one, of the size that sandboxes have when nobody asks for another.
    async fn open(daemon: &Daemon) -> Result<Room, BenchError> {
        let mut room = Room {
            address: daemon.address,
            path: String::new(),
            client: daemon.connect().await?,
        };
        let wanted = json!({ "language": LANGUAGE });
        let begun = room.ask(Ask::post("", &wanted)).await;
        let begun = begun.map_err(|error| failed("a sandbox did not begin", &error))?;
        room.path = format!("/{}", begun["id"].as_str().unwrap_or_default());
        Ok(room)
    }

    /// Another connection that asks for the same sandbox.
    pub async fn beside(&self) -> Result<Room, Lost> {
        Ok(Room {
            address: self.address,
            path: self.path.clone(),
            client: Client::connect(self.address).await?,
        })
    }

    /// Ends it.
    async fn close(mut self) -> Result<(), BenchError> {
        let gone = self.ask(Ask::delete("")).await;
        gone.map(drop)
            .map_err(|error| failed("a sandbox did not end", &error))
    }

    /// The address of what is behind the sandbox's own path.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{SANDBOXES}{}{path}", self.address, self.path)
    }

    /// Asks; the answer's JSON, `null` where it has none.
    pub async fn ask(&mut self, ask: Ask) -> Result<Value, Lost> {
        let answer = self.begin(ask).await?.into_body();
        let bytes = answer.collect().await?.to_bytes();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Asks; the answer's bytes.
    pub async fn bytes(&mut self, ask: Ask) -> Result<Bytes, Lost> {
        let answer = self.begin(ask).await?.into_body();
        Ok(answer.collect().await?.to_bytes())
    }

    /// Asks; the answer as it comes.
    pub async fn feed(&mut self, ask: Ask, form: Form) -> Result<Feed, Lost> {
        let accept = form.accept();
        let answer = self.begin(Ask { accept, ..ask }).await?;
        Ok(Feed::of(answer, form))
    }

    /// Starts a process; its name.
    pub async fn start(&mut self, process: &Value) -> Result<u64, Lost> {
        let started = self.ask(Ask::post("/processes", process)).await?;
        Ok(started["id"].as_u64().unwrap_or_default())
    }

    /// Runs a line for the shell to its end, which must be a good one; what it printed.
    pub async fn run(&mut self, line: &str) -> Result<String, Lost> {
        let process = json!({ "cmd": line, "background": false });
        let mut feed = self
            .feed(Ask::post("/processes", &process), Form::Lines)
            .await?;
        let mut printed = String::new();
        let ended = feed.outputs(|output| {
            printed += output["data"].as_str().unwrap_or_default();
            Ok(())
        });
        let ended = ended.await;
        ended.map_err(|error| format!("{line:?}: {error}{printed}"))?;
        Ok(printed)
    }

    /// Sends the request; an answer that is no success is an error in its own words.
    async fn begin(&mut self, ask: Ask) -> Result<Response<Incoming>, Lost> {
        let Ask {
            method,
            path,
            accept,
            body,
        } = ask;
        let named = format!("{method} {path}");
        let request = Request::builder()
            .method(method)
            .uri(format!("{SANDBOXES}{}{path}", self.path))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, accept)
            .body(Full::new(body))?;
        let answer = self.client.begin(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        let words = String::from_utf8_lossy(&bytes);
        Err(format!("{named}: {status} {words}").into())
    }
}

/// What went wrong in a part.
fn failed(what: &str, error: &Lost) -> BenchError {
    BenchError::Daemon {
        reason: format!("{what}: {error}"),
    }
}
