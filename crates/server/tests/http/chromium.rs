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
/// Between two looks at a page.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// All of a page that has something on it.
const WHOLE_PAGE: &str = "({x: 0, y: 0, scale: 1, width: document.documentElement.clientWidth, height: Math.ceil(document.body.getBoundingClientRect().bottom + scrollY)})";

/// What a screenshot is of.
enum Extent {
    Page,
    Window,
}

/// One page in a browser of its own.
pub struct Browser {
    child: Child,
    // Removed after the process is gone.
    _profile: tempfile::TempDir,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
    /// What the page did wrong: what its policy forbids, errors that nobody caught.
    faults: Vec<String>,
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
                // A bar at the side would be left out of the pictures, and its width with it.
                "--hide-scrollbars",
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
            faults: Vec::new(),
        };
        // What was said before is told, too.
        for domain in ["Log.enable", "Runtime.enable"] {
            browser.call(domain, json!({})).await;
        }
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
            self.faults.extend(fault(&answer));
        }
    }

    /// What the page did wrong until now.
    pub async fn faults(&mut self) -> Vec<String> {
        // What comes before this answer is looked at.
        self.value("0").await;
        std::mem::take(&mut self.faults)
    }

    /// Goes to another page of the service.
    pub async fn goes_to(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).await;
        let there = format!("document.readyState === 'complete' && location.href === '{url}'");
        self.until(&there).await;
    }

    /// Milliseconds until it painted something, best of some loads; a machine may be busy.
    pub async fn first_paint(&mut self, url: &str, bar: f64) -> f64 {
        let paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1";
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            self.goes_to("about:blank").await;
            self.goes_to(url).await;
            self.until(&format!("({paint}) >= 0")).await;
            best = best.min(self.value(paint).await.as_f64().unwrap());
            if best < bar {
                break;
            }
        }
        best
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
            if begun.elapsed() >= PATIENCE {
                let page = self.value("document.body.innerText").await;
                panic!("never: {expression}; {:?}; the page: {page}", self.faults);
            }
            // The page gets to draw what it is asked for.
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// A key goes down or up, as the protocol has it.
    async fn key(&mut self, kind: &str, (key, code, modifiers): (&str, u32, u32)) {
        // Without a text it presses no button and sends no form.
        let text = if key == "Enter" && modifiers == 0 {
            "\r"
        } else {
            ""
        };
        let params = json!({"type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code, "modifiers": modifiers});
        self.call("Input.dispatchKeyEvent", params).await;
    }

    /// A key with its modifiers (2: Control) is pressed and let go.
    pub async fn press(&mut self, key: &str, code: u32, modifiers: u32) {
        self.key("keyDown", (key, code, modifiers)).await;
        self.key("keyUp", (key, code, modifiers)).await;
    }

    /// Types, one key after another.
    pub async fn types(&mut self, text: &str) {
        for letter in text.chars() {
            let key = letter.to_string();
            for (kind, text) in [("keyDown", key.as_str()), ("keyUp", "")] {
                let params = json!({"type": kind, "key": key, "text": text});
                self.call("Input.dispatchKeyEvent", params).await;
            }
        }
    }

    /// Types a line.
    pub async fn enters(&mut self, line: &str) {
        self.types(line).await;
        self.press("Enter", 13, 0).await;
    }

    /// Chooses files in the element of this id.
    pub async fn choose(&mut self, id: &str, files: &[&Path]) {
        let document = self.call("DOM.getDocument", json!({})).await;
        let root = &document["root"]["nodeId"];
        let query = json!({"nodeId": root, "selector": format!("#{id}")});
        let found = self.call("DOM.querySelector", query).await;
        let params = json!({"nodeId": found["nodeId"], "files": files});
        self.call("DOM.setFileInputFiles", params).await;
    }

    /// Has the window this width, in CSS pixels; says how wide the page is then.
    pub async fn width(&mut self, width: u32) -> Value {
        let params =
            json!({"width": width, "height": 1500, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", params)
            .await;
        self.value("document.documentElement.scrollWidth").await
    }

    /// Puts text where the focus is, as a person who pastes it.
    pub async fn insert(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// A view with every colour as under this preference, `light` or `dark`, into
    /// `target/artifacts/screenshots`.
    pub async fn screenshot(&mut self, view: &str, scheme: &str) {
        self.shot(view, scheme, Extent::Page).await;
    }

    /// The same of what the window shows of a long page.
    pub async fn screenshot_window(&mut self, view: &str, scheme: &str) {
        self.shot(view, scheme, Extent::Window).await;
    }

    async fn shot(&mut self, view: &str, scheme: &str, extent: Extent) {
        let name = format!("{view}-{scheme}.png");
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", scheme).await;
        let mut what = json!({"format": "png"});
        if matches!(extent, Extent::Page) {
            // As high as what is on it: a short view is no tall picture because the window is.
            let clip = self.value(WHOLE_PAGE).await;
            what = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        }
        let shot = self.call("Page.captureScreenshot", what).await;
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder = target.join("artifacts/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// What an event of the protocol says that the page did wrong. That an answer was a refusal is none.
fn fault(event: &Value) -> Option<String> {
    let entry = &event["params"]["entry"];
    let is_fault = match event["method"].as_str()? {
        "Log.entryAdded" => entry["level"] == "error" && entry["source"] != "network",
        "Runtime.exceptionThrown" => true,
        _ => false,
    };
    let exception = &event["params"]["exceptionDetails"];
    is_fault.then(|| match entry["text"].as_str() {
        Some(text) => text.to_owned(),
        None => exception.to_string(),
    })
}

/// True in a page whose list of languages is filled.
pub fn all_languages() -> String {
    let count = protocol::language::all().count();
    format!("document.getElementById('language').options.length === {count}")
}
