//! A terminal over a WebSocket: typed, shown, resized, left and taken up again.

use super::{Desk, PATIENCE, told};
use crate::lab;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use server::keys::file::Scope;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub struct Terminal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    shown: String,
}

/// Connects, with an `Origin` if one is given.
pub async fn connect(desk: &Desk, below: &str, origin: Option<&str>) -> Result<Terminal, Error> {
    let url = desk.service.url(&format!("{}{below}", desk.path));
    let mut request = url.replacen("http", "ws", 1).into_client_request()?;
    if let Some(origin) = origin {
        let headers = request.headers_mut();
        headers.insert("origin", origin.parse().unwrap());
    }
    let (socket, _) = connect_async(request).await?;
    let shown = String::new();
    Ok(Terminal { socket, shown })
}

impl Terminal {
    async fn types(&mut self, text: &str) {
        let bytes = text.as_bytes().to_vec();
        self.socket
            .send(Message::Binary(bytes.into()))
            .await
            .unwrap();
    }

    async fn says(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message that is no sign of life, however many of these come before it.
    async fn next(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(message)) => return Some(message),
                    Some(Err(_)) | None => return None,
                }
            }
        });
        let next = next.await;
        next.unwrap_or_else(|_| panic!("nothing more came than {:?}", self.shown))
    }

    fn note(&mut self, message: Message) {
        if let Message::Binary(bytes) = message {
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// What the next text frame with this name says.
    pub async fn word(&mut self, name: &str) -> Value {
        loop {
            match self.next().await {
                Some(Message::Text(text)) => {
                    let mut words: Value = serde_json::from_str(&text).unwrap();
                    if words.get(name).is_some() {
                        return words[name].take();
                    }
                }
                Some(message) => self.note(message),
                None => panic!("it ended"),
            }
        }
    }

    /// Reads until this was shown.
    async fn until(&mut self, text: &str) {
        while !self.shown.contains(text) {
            match self.next().await {
                Some(Message::Binary(bytes)) => {
                    self.shown.push_str(&String::from_utf8_lossy(&bytes))
                }
                Some(Message::Text(_)) => {}
                other => panic!("{other:?} instead of {text:?}, after {:?}", self.shown),
            }
        }
    }

    /// Reads to the end: the last text, and the code that closed it.
    async fn rest(mut self) -> (Value, Option<CloseCode>) {
        let (mut text, mut code) = (Value::Null, None);
        while let Some(message) = self.next().await {
            match message {
                Message::Text(json) => text = serde_json::from_str(&json).unwrap(),
                Message::Close(frame) => code = frame.map(|frame| frame.code),
                _ => {}
            }
        }
        (text, code)
    }
}

#[tokio::test]
async fn a_terminal_is_typed_at_resized_left_and_taken_up_again() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let body = json!({"argv": ["bash", "--norc"], "pty": {"rows": 24, "columns": 80}, "env": {"PS1": "> "}});
    let process = desk.start(body).await;
    let below = format!("{process}/terminal");
    let mut terminal = connect(&desk, &below, None).await.unwrap();
    terminal.until("> ").await;
    terminal.types("stty size; X=ke; X=${X}pt\n").await;
    terminal.until("24 80\r\n").await;
    terminal.says(r#"{"rows": 50, "columns": 132}"#).await;
    terminal.types("stty size\n").await;
    terminal.until("50 132\r\n").await;
    // Wide enough for all lines below: a line that the shell wraps comes in pieces.
    let size = json!({"rows": 7, "columns": 90});
    assert_eq!(desk.post(&format!("{process}/resize"), &size).await.0, 204);
    terminal.types("stty size\n").await;
    terminal.until("7 90\r\n").await;
    // Ctrl-C ends what runs in it, not the shell.
    terminal.types("sleep 1000\n").await;
    terminal.until("sleep 1000").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    terminal.types("\x03").await;
    terminal.until("^C").await;
    terminal.socket.close(None).await.unwrap();
    drop(terminal);
    // Another client, and one more beside it: all that was shown is shown again, and the shell has its variables.
    let mut first = connect(&desk, &below, None).await.unwrap();
    let mut second = connect(&desk, &below, None).await.unwrap();
    // All that was kept is shown before it is called so.
    let replayed = first.word("replayed").await;
    let shown = first.shown.len() as u64;
    assert!(
        replayed["next_offset"].as_u64() <= Some(shown),
        "{replayed}"
    );
    assert!(first.shown.contains("50 132\r\n"), "{}", first.shown);
    first.types("echo =$X=\n").await;
    for terminal in [&mut first, &mut second] {
        terminal.until("=kept=\r\n").await;
    }
    first.types("exit 5\n").await;
    for terminal in [first, second] {
        let (text, code) = terminal.rest().await;
        assert_eq!(
            (&text["exit"]["exit_code"], code),
            (&5.into(), Some(CloseCode::Normal)),
            "{text}"
        );
    }
    desk.end().await;
}

#[tokio::test]
async fn a_client_that_has_enough_says_so_and_misses_nothing() {
    let mut config = lab::server_config();
    config.http.header_seconds = 3;
    let Some(desk) = Desk::open_with(json!({"language": "bash"}), config).await else {
        return;
    };
    let pty = json!({"rows": 24, "columns": 80});
    let process = desk.start(json!({"cmd": "read; seq 300000; echo over; read", "pty": pty}));
    let below = format!("{}/terminal", process.await);
    let mut terminal = connect(&desk, &below, None).await.unwrap();
    terminal.says(r#"{"flow": "pause"}"#).await;
    terminal.types("\n").await;
    // What is on its way already comes.
    let quiet = Duration::from_secs(1);
    while let Ok(message) = tokio::time::timeout(quiet, terminal.next()).await {
        terminal.note(message.unwrap());
    }
    terminal.says(r#"{"flow": "resume"}"#).await;
    terminal.until("\r\n300000\r\nover").await;
    let lines: Vec<&str> = terminal.shown.lines().collect();
    let first = lines.iter().position(|line| *line == "1").unwrap();
    for (at, line) in lines[first..first + 300_000].iter().enumerate() {
        assert_eq!(line.parse(), Ok(at + 1));
    }
    // A pause ends with the time that a client may take nothing.
    terminal.says(r#"{"flow": "pause"}"#).await;
    assert_eq!(terminal.rest().await.1, Some(CloseCode::Policy));
    desk.end().await;
}

#[tokio::test]
async fn a_pages_key_comes_as_a_protocol() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run], &[Scope::Run], &[Scope::Observe]];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let post = |path: &str, body: Value| service.post(path, &body).bearer_auth(&keys[0]);
    let (_, body) = told(post("/api/v1/sandboxes", json!({"language": "bash"}))).await;
    let path = format!(
        "/api/v1/sandboxes/{}/processes",
        body["id"].as_str().unwrap()
    );
    let pty = json!({"rows": 24, "columns": 80});
    let (status, body) = told(post(&path, json!({"cmd": "cat", "pty": pty}))).await;
    assert_eq!(status, 201, "{body}");
    let url = service
        .url(&format!("{path}/1/terminal"))
        .replacen("http", "ws", 1);
    let open = async |protocols: String| {
        let mut request = url.as_str().into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocols.parse().unwrap());
        match connect_async(request).await {
            Ok((_, answer)) => Ok(answer.headers()["sec-websocket-protocol"].clone()),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    };
    let with = |key: &str| format!("llm-firecracker.terminal, llm-firecracker.key.{key}");
    assert_eq!(
        open(with(&keys[0])).await.unwrap(),
        "llm-firecracker.terminal"
    );
    for (protocols, status) in [
        (with(&keys[1]), 404),
        (with(&keys[2]), 403),
        (with("llmfc_000000000000_x"), 401),
        ("llm-firecracker.terminal".to_owned(), 401),
        (keys[0].clone(), 401),
    ] {
        assert_eq!(open(protocols.clone()).await, Err(status), "{protocols}");
    }
    service.end().await;
}

#[tokio::test]
async fn no_other_sites_page_and_no_nonsense_gets_a_terminal() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let pty = json!({"rows": 24, "columns": 80});
    let process = desk.start(json!({"cmd": "cat", "pty": pty})).await;
    let below = format!("{process}/terminal");
    let own = format!("http://{}", desk.service.address);
    for (origin, status) in [
        (Some("https://evil.example"), Some(403)),
        (Some("null"), Some(403)),
        (Some("http://localhost:1"), Some(403)),
        (Some(own.as_str()), None),
        (None, None),
    ] {
        let seen = match connect(&desk, &below, origin).await {
            Ok(_) => None,
            Err(Error::Http(response)) => Some(response.status().as_u16()),
            Err(error) => panic!("{origin:?}: {error}"),
        };
        assert_eq!(seen, status, "{origin:?}");
    }
    let (status, problem) = desk.get(&below).await;
    assert_eq!(
        (status, &problem["code"]),
        (426, &"upgrade_required".into())
    );
    let pipes = desk.start(json!({"cmd": "sleep 1000"})).await;
    let (status, problem) = desk.get(&format!("{pipes}/terminal")).await;
    assert_eq!((status, &problem["code"]), (409, &"no_terminal".into()));
    for nonsense in ["ls", r#"{"rows": 0, "columns": 1}"#] {
        let mut terminal = connect(&desk, &below, None).await.unwrap();
        terminal.says(nonsense).await;
        assert_eq!(
            terminal.rest().await.1,
            Some(CloseCode::Policy),
            "{nonsense}"
        );
    }
    let mut terminal = connect(&desk, &below, None).await.unwrap();
    let large = Message::Binary(vec![b'x'; 1 << 20].into());
    // It may be closed while it is being sent.
    if terminal.socket.send(large).await.is_ok() {
        assert_eq!(terminal.rest().await.1, Some(CloseCode::Size));
    }
    assert!(desk.get(&process).await.1["exit"].is_null());
    // The sandbox ends under it.
    let terminal = connect(&desk, &below, None).await.unwrap();
    assert_eq!(told(desk.request(Method::DELETE, "")).await.0, 204);
    assert_eq!(terminal.rest().await.1, Some(CloseCode::Away));
    desk.service.end().await;
}
