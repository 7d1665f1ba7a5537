//! The dashboard in real headless Chromium, driven over its DevTools protocol: a program is run, its
//! output and its event are seen, and hostile output stays text. Screenshots go to the target folder.

use crate::lab::{self, Service};
use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(60);

struct Browser {
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
    async fn open(service: &Service) -> Option<Browser> {
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
        Some(Browser {
            child,
            _profile: profile,
            socket,
            next: 0,
        })
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
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
    async fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", params).await;
        assert!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    async fn until(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression).await != true {
            assert!(begun.elapsed() < PATIENCE, "never: {expression}");
        }
    }

    async fn key(&mut self, kind: &str, key: &str, code: u32, modifiers: u32) {
        let params = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers});
        self.call("Input.dispatchKeyEvent", params).await;
    }

    async fn screenshot(&mut self, name: &str) {
        let shot = self
            .call("Page.captureScreenshot", json!({"format": "png"}))
            .await;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(shot["data"].as_str().unwrap())
            .unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

#[tokio::test]
async fn a_program_is_run_by_keyboard_and_hostile_output_stays_text() {
    if !lab::can_run("python") {
        return;
    }
    let service = lab::start().await;
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    page.until("document.readyState === 'complete' && document.getElementById('language')?.options.length === 5").await;
    page.until("document.getElementById('held').textContent.includes('qemu')")
        .await;
    page.value("window.hostile = 0; document.getElementById('editor').focus(); document.getElementById('editor').select()").await;
    let code = "import os\nprint('<img src=x onerror=\"window.hostile=1\"><script>window.hostile=1</script>')\n\
                os.makedirs('/work/out', exist_ok=True)\n\
                open('/work/out/page.html', 'w').write('<script>window.hostile=1</script>')\n";
    page.call("Input.insertText", json!({"text": code})).await;
    // 2: Control.
    page.key("rawKeyDown", "Enter", 13, 2).await;
    page.key("keyUp", "Enter", 13, 2).await;
    page.until("document.getElementById('ending').textContent.startsWith('ok')")
        .await;
    page.until("document.getElementById('output').textContent.includes('<script>window.hostile=1</script>')").await;
    page.until("document.getElementById('artifacts').textContent.includes('page.html')")
        .await;
    page.until("document.getElementById('events').textContent.includes('VM_STOP')")
        .await;
    page.until("document.getElementById('jobs').textContent.includes('python')")
        .await;
    assert_eq!(page.value("window.hostile").await, 0);
    assert_eq!(
        page.value(
            "document.querySelectorAll('#output img, #output script, #artifacts script').length"
        )
        .await,
        0
    );
    assert_eq!(
        page.value("document.querySelectorAll('#shadow .k').length > 0")
            .await,
        true
    );
    page.value("document.getElementById('doctor-run').click()")
        .await;
    page.until("document.getElementById('doctor').textContent.includes('kvm-runs-guests')")
        .await;
    page.screenshot("light.png").await;
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    page.call("Emulation.setEmulatedMedia", dark).await;
    page.screenshot("dark.png").await;
    drop(page);
    service.end().await;
}
