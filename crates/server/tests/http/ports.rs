//! What listens on a sandbox's ports, reached from outside: what goes through, and what hostile programs and clients do with
//! it. The programs are `ports/guest.py`, run in a real VM.

mod hostile;

use crate::e2b::{made, text};
use crate::lab::{self, Service, answer};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::ServerConfig;
use server::config::E2bConfig;
use server::keys::file::Scope;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const DOMAIN: &str = "sandboxes.example.org";
/// How long a program in a VM may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `ports/guest.py` does on each.
mod port {
    pub const ECHO: u16 = 9000;
    pub const ENDLESS_HEAD: u16 = 9001;
    pub const NO_STATUS: u16 = 9002;
    pub const UNASKED_UPGRADE: u16 = 9003;
    pub const SPLIT: u16 = 9004;
    pub const CUT_SHORT: u16 = 9005;
    pub const ENDLESS_INTERIM: u16 = 9006;
    pub const TWO_LENGTHS: u16 = 9007;
    pub const BROWSER: u16 = 9008;
    pub const UPGRADES: u16 = 9009;
    pub const LARGE: u16 = 9010;
    pub const REFUSES_BODIES: u16 = 9011;
    pub const SILENT: u16 = 9012;
    pub const MANY_HEADERS: u16 = 9013;
    pub const FOLDED: u16 = 9014;
    pub const NOTHING: u16 = 9100;
}

/// A service, a sandbox of it whose programs listen, and what opens them.
struct Open {
    service: Service,
    id: String,
    token: String,
    key: String,
    _dir: tempfile::TempDir,
}

impl Open {
    async fn begin() -> Option<Open> {
        if !lab::can_run("python") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let config = ServerConfig {
            e2b: E2bConfig {
                domain: Some(DOMAIN.into()),
                open_by_name: false,
                ports: true,
            },
            ..lab::server_config()
        };
        let scopes = &[&[Scope::Run, Scope::Admin][..]];
        let (service, keys) = lab::start_with_keys(dir.path(), config, scopes).await;
        let key = keys[0].clone();
        let request = json!({"templateID": "python", "timeout": 600});
        let own = made(&service, &key, &request).await;
        let open = Open {
            service,
            id: text(&own, "sandboxID"),
            token: text(&own, "trafficAccessToken"),
            key,
            _dir: dir,
        };
        open.run(include_str!("ports/guest.py")).await;
        Some(open)
    }

    /// Has the programs listen.
    async fn run(&self, program: &str) {
        let process = json!({"argv": ["python3", "-c", program], "background": true, "on_disconnect": "keep"});
        let path = format!("/api/v1/sandboxes/{}/processes", self.id);
        let request = self.service.post(&path, &process).bearer_auth(&self.key);
        let (status, body) = answer(request).await;
        assert!((200..300).contains(&status), "{body}");
        let begun = std::time::Instant::now();
        // The last one that it opens.
        while self.at(port::FOLDED).send().await.unwrap().status() == StatusCode::BAD_GATEWAY
            && self.told(port::FOLDED).await.contains("not open")
        {
            assert!(begun.elapsed() < PATIENCE, "it does not listen");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A request to a port, by headers.
    fn by_headers(&self, method: Method, port: u16) -> RequestBuilder {
        let request = self
            .service
            .client
            .request(method, self.service.url("/a?b=c"));
        request
            .header("e2b-sandbox-id", &self.id)
            .header("e2b-sandbox-port", port)
            .header("e2b-traffic-access-token", &self.token)
    }

    fn host(&self, port: u16) -> String {
        format!("{port}-{}.{DOMAIN}", self.id)
    }

    /// The same, by the host's name.
    fn at(&self, port: u16) -> RequestBuilder {
        let request = self.service.client.get(self.service.url("/a?b=c"));
        request
            .header("host", self.host(port))
            .header("e2b-traffic-access-token", &self.token)
    }

    async fn told(&self, port: u16) -> String {
        self.at(port)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap_or_default()
    }

    /// Bytes on a connection of its own, and everything that comes back.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.sent(request).await;
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        let _ = tokio::time::timeout(PATIENCE, read)
            .await
            .expect("it closes");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn sent(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.service.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The head of a request by the host's name, without the empty line at its end.
    fn head(&self, port: u16, more: &str) -> String {
        let (host, token) = (self.host(port), &self.token);
        format!("GET /a HTTP/1.1\r\nHost: {host}\r\nE2b-Traffic-Access-Token: {token}\r\n{more}")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_reached_by_its_token_and_its_program_learns_no_secret() {
    let Some(open) = Open::begin().await else {
        return;
    };
    // By the host's name and by headers; what the program was sent is what it answers.
    let request = open
        .at(port::ECHO)
        .header("x-forwarded-for", "1.2.3.4")
        .header("forwarded", "for=1.2.3.4")
        .header("x-access-token", "t")
        .header("x-api-key", &open.key)
        .header("authorization", format!("Bearer {}", open.key))
        .header("connection", "x-mine")
        .header("x-mine", "1")
        .header("cookie", "a=b");
    let got = request.send().await.unwrap();
    assert_eq!(got.status(), 200);
    assert!(got.headers().get("content-security-policy").is_none());
    let head = got.text().await.unwrap().to_lowercase();
    assert!(head.starts_with("get /a?b=c http/1.1\r\n"), "{head}");
    for here in [
        format!("host: {}", open.host(port::ECHO)),
        "x-forwarded-for: 127.0.0.1\r\n".into(),
        "x-forwarded-proto: http\r\n".into(),
        "cookie: a=b\r\n".into(),
    ] {
        assert!(head.contains(&here), "{here}: {head}");
    }
    for secret in [
        "token",
        &open.token,
        &open.key.to_lowercase(),
        "1.2.3.4",
        "x-mine",
        "api-key",
        "authorization",
    ] {
        assert!(!head.contains(secret), "{secret}: {head}");
    }
    // Another's credentials are its program's business.
    let own = open.at(port::ECHO).header("authorization", "Bearer mine");
    assert!(
        own.send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("Bearer mine")
    );
    let got = open
        .by_headers(Method::POST, port::ECHO)
        .body("12345")
        .send()
        .await
        .unwrap();
    assert!(
        got.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    assert_eq!(got.headers()["cache-control"], "no-store");
    let head = got.text().await.unwrap().to_lowercase();
    assert!(
        head.contains("host: localhost:9000\r\n") && head.ends_with("\r\n\r\n12345"),
        "{head}"
    );
    assert!(
        head.contains("content-length: 5\r\n") && !head.contains("e2b-"),
        "{head}"
    );
    // Without the token, or with another's, it is not there.
    let bare = |token: Option<&str>| {
        let request = open.service.client.get(open.service.url("/"));
        let request = request.header("host", open.host(port::ECHO));
        token.into_iter().fold(request, |request, token| {
            request.header("e2b-traffic-access-token", token)
        })
    };
    for token in [None, Some(""), Some("0"), Some(open.key.as_str())] {
        let (status, body) = answer(bare(token)).await;
        assert_eq!((status, &body["code"]), (401, &json!(401)), "{token:?}");
    }
    // Paths of the service's own are the program's there.
    let request = open
        .service
        .client
        .get(open.service.url("/files?path=/etc/passwd"));
    let request = request
        .header("host", open.host(port::ECHO))
        .header("e2b-traffic-access-token", &open.token);
    assert!(
        request
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .starts_with("GET /files?path=/etc/passwd ")
    );
    // Nothing listens; nothing is there.
    let (status, body) = answer(open.at(port::NOTHING)).await;
    let expected = json!({"sandboxId": open.id, "message": "The sandbox is running but port is not open", "port": port::NOTHING, "code": 502});
    assert_eq!((status, body), (502, expected));
    let gone = open.host(port::ECHO).replace(&open.id[..8], "00000000");
    let request = open.service.client.get(open.service.url("/"));
    let (status, body) = answer(request.header("host", gone)).await;
    assert!(
        status == 502 && text(&body, "message").contains("was not found"),
        "{body}"
    );
    told_of(&open).await;
    open.service.end().await;
}

/// What the operator sees of it.
async fn told_of(open: &Open) {
    let events = open.service.feed.events(500);
    let ports = events
        .iter()
        .filter(|event| event.event_type == protocol::event::EventType::SandboxPort);
    let ports: Vec<_> = ports.map(|event| event.extra["port"].clone()).collect();
    assert!(ports.contains(&json!(port::ECHO)), "{ports:?}");
    assert_eq!(
        ports
            .iter()
            .filter(|port| **port == json!(port::ECHO))
            .count(),
        1
    );
    let metrics = open
        .service
        .client
        .get(open.service.url("/metrics"))
        .bearer_auth(&open.key);
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let value = |name: &str| -> u64 {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(value("port_requests_total ") >= 5, "{metrics}");
    assert!(value("port_received_bytes_total ") >= 5 && value("port_sent_bytes_total ") > 100);
    assert!(metrics.contains("route=\"port\"") && !metrics.contains("route=\"/files\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_any_size_and_other_protocols_go_through() {
    let Some(open) = Open::begin().await else {
        return;
    };
    // More than all buffers on the way hold, both ways.
    let got = open.at(port::LARGE).send().await.unwrap();
    let mut length = 0;
    let mut got = got;
    while let Some(piece) = got.chunk().await.unwrap() {
        assert!(piece.iter().all(|byte| *byte == b'x'));
        length += piece.len();
    }
    assert_eq!(length, 8 << 20);
    let body = vec![b'y'; 3 << 20];
    let got = open
        .by_headers(Method::PUT, port::ECHO)
        .body(body)
        .send()
        .await
        .unwrap();
    let text = got.bytes().await.unwrap();
    assert_eq!(text.iter().filter(|byte| **byte == b'y').count(), 3 << 20);
    // One that does not want the body says so before it comes.
    let request = open
        .by_headers(Method::POST, port::REFUSES_BODIES)
        .body(vec![0; 8 << 20]);
    assert_eq!(request.send().await.unwrap().status(), 413);
    // HEAD tells of a body and sends none.
    let head = open
        .by_headers(Method::HEAD, port::ECHO)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (head.status(), head.headers()["content-length"].clone()),
        (StatusCode::OK, "77".parse().unwrap())
    );
    // Another protocol, to its end.
    let asked = open.head(
        port::UPGRADES,
        "Connection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    );
    let mut stream = open.sent(&asked).await;
    let mut got = Vec::new();
    while !got.ends_with(b"welcome") {
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut got)).await;
        assert!(
            read.unwrap().unwrap() > 0,
            "{}",
            String::from_utf8_lossy(&got)
        );
    }
    let head = String::from_utf8_lossy(&got).to_lowercase();
    assert!(
        head.starts_with("http/1.1 101 ") && head.contains("upgrade: echo\r\n"),
        "{head}"
    );
    for word in [b"one", b"two"] {
        stream.write_all(word).await.unwrap();
        let mut back = [0; 3];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, word);
    }
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rest, b"");
    open.service.end().await;
}

#[tokio::test]
async fn ports_are_off_until_the_operator_says_otherwise() {
    let service = lab::start().await;
    let request = service.client.get(service.url("/"));
    let request = request.header("e2b-sandbox-id", "0193a5c2-7d1e-7c3a-9f00-0123456789ab");
    let (status, body) = answer(request.header("e2b-sandbox-port", 8000)).await;
    assert_eq!((status, &body["code"]), (403, &Value::from(403)));
    assert!(text(&body, "message").contains("ports = true"), "{body}");
    service.end().await;
}
