//! Real headless Chromium, driven over its DevTools protocol.

use crate::lab::{self, Service};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(60);

/// One page in a browser of its own.
pub struct Browser {
    child: Child,
    // Removed after the process is gone.
    _profile: tempfile::TempDir,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// Opens a page; `None` where there is no Chromium.
    pub async fn open(service: &Service) -> Option<Browser> {
        let profile = tempfile::tempdir().unwrap();
        let started = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--window-size=1400,1500",
            ])
            .args([
                "--remote-debugging-port=0",
                "--no-first-run",
                "--disable-dev-shm-usage",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(service.url("/"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            let required = std::env::var_os("LLM_FIRECRACKER_REQUIRE").is_some();
            assert!(!required, "not run: chromium is not installed");
            println!("not run: chromium is not installed");
            return None;
        };
        let port_file = profile.path().join("DevToolsActivePort");
        lab::until(PATIENCE, "Chromium listens", || {
            port_file.exists()
                && std::fs::read_to_string(&port_file).is_ok_and(|text| text.lines().count() == 2)
        })
        .await;
        let port = std::fs::read_to_string(&port_file)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned();
        let begun = Instant::now();
        let address = loop {
            assert!(begun.elapsed() < PATIENCE, "no page came up");
            let list = service
                .client
                .get(format!("http://127.0.0.1:{port}/json/list"))
                .send()
                .await;
            let pages: Value = match list {
                Ok(response) => response.json().await.unwrap(),
                Err(_) => continue,
            };
            let page = pages
                .as_array()
                .unwrap()
                .iter()
                .find(|page| page["type"] == "page");
            if let Some(page) = page {
                break page["webSocketDebuggerUrl"].as_str().unwrap().to_owned();
            }
        };
        let (socket, _) = connect_async(address).await.unwrap();
        let mut browser = Browser {
            child,
            _profile: profile,
            socket,
            next: 0,
        };
        // Before it, there is an empty page.
        let ours = "document.readyState === 'complete' && document.getElementById('held') !== null";
        browser.until(ours).await;
        Some(browser)
    }

    /// One call of the protocol; its result.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let text = json!({"id": id, "method": method, "params": params}).to_string();
        self.socket.send(Message::text(text)).await.unwrap();
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .unwrap();
            let Message::Text(text) = message.unwrap().unwrap() else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == id {
                return answer["result"].clone();
            }
        }
    }

    /// What an expression is on the page.
    pub async fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", params).await;
        assert!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Looks again and again until an expression is `true`.
    pub async fn until(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression).await != true {
            assert!(begun.elapsed() < PATIENCE, "never: {expression}");
        }
    }

    /// A key goes down or up, as the protocol has it.
    async fn key(&mut self, kind: &str, key: &str, code: u32, modifiers: u32) {
        let params = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers});
        self.call("Input.dispatchKeyEvent", params).await;
    }

    /// A key with its modifiers (2: Control) is pressed and let go.
    pub async fn press(&mut self, key: &str, code: u32, modifiers: u32) {
        self.key("rawKeyDown", key, code, modifiers).await;
        self.key("keyUp", key, code, modifiers).await;
    }

    /// Puts text where the focus is, as a person who pastes it.
    pub async fn insert(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// The page with every colour as under this preference, `light` or `dark`, into
    /// `target/artifacts/screenshots`.
    pub async fn screenshot(&mut self, name: &str) {
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": name}]});
        self.call("Emulation.setEmulatedMedia", scheme).await;
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let shot = self.call("Page.captureScreenshot", whole).await;
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder = target.join("artifacts/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("dashboard-{name}.png")), bytes).unwrap();
    }
}
