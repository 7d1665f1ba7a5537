//! The view of sandboxes: what it says without any, and one with its processes, files and a terminal, by a key.

use super::{holds, text};
use crate::chromium::Browser;
use crate::lab::{self, Service};
use crate::sandboxes::told;
use reqwest::Method;
use serde_json::{Value, json};
use server::keys::file::Scope;
use std::time::Duration;

/// A page that looks at one sandbox of a service with keys.
pub struct View {
    pub service: Service,
    pub page: Browser,
    key: String,
    /// Of the sandbox.
    path: String,
    _keys: tempfile::TempDir,
}

/// What the terminal shows.
pub const SCREEN: &str =
    "document.querySelector('.xterm-rows').innerText.replaceAll('\\u00a0', ' ')";

/// That an element is on the page.
pub fn seen(id: &str) -> String {
    format!("document.getElementById('{id}').checkVisibility()")
}

/// The button with this text that can be seen; nothing where there is none.
fn button(text: &str) -> String {
    let text = Value::from(text);
    format!(
        "[...document.querySelectorAll('button')].find((b) => b.textContent === {text} && b.checkVisibility())"
    )
}

/// Presses it.
pub fn press(text: &str) -> String {
    format!("{}.click()", button(text))
}

pub async fn gives_key(page: &mut Browser, key: &str) {
    super::gives_key(page, key).await;
    page.until(&crate::chromium::all_languages()).await;
}

impl View {
    /// `None` where there is no VM or no Chromium.
    pub async fn open() -> Option<View> {
        if !lab::can_run("bash") {
            return None;
        }
        let keys = tempfile::tempdir().unwrap();
        let scopes: &[&[Scope]] = &[&[Scope::Run, Scope::Admin]];
        let (service, list) = lab::start_with_keys(keys.path(), lab::server_config(), scopes).await;
        let key = list.into_iter().next().unwrap();
        let body = json!({"language": "bash", "metadata": {"user": "<b>42</b>"}});
        let create = service.post("/api/v1/sandboxes", &body).bearer_auth(&key);
        let (status, body) = told(create).await;
        assert_eq!(status, 201, "{body}");
        let id = body["id"].as_str().unwrap();
        let Some(mut page) = Browser::open(&service).await else {
            service.end().await;
            return None;
        };
        gives_key(&mut page, &key).await;
        page.value("document.querySelector('nav a[href=\"#sandboxes\"]').click()")
            .await;
        page.until(&holds("sandbox-rows", &id[id.len() - 12..]))
            .await;
        Some(View {
            path: format!("/api/v1/sandboxes/{id}"),
            service,
            page,
            key,
            _keys: keys,
        })
    }

    /// Looks at the sandbox.
    pub async fn looks(&mut self) {
        self.page
            .value("document.querySelector('#sandbox-rows a').focus()")
            .await;
        self.page.press("Enter", 13, 0).await;
        self.page.until(&seen("sandbox-parts")).await;
    }

    /// Opens a terminal, and waits for its shell.
    pub async fn shell(&mut self) {
        self.page.value(&press("Open a terminal")).await;
        self.page
            .until(&format!("{} === 'ready'", text("terminal-told")))
            .await;
        self.until_shown("$ ").await;
    }

    /// Waits until the terminal shows this.
    pub async fn until_shown(&mut self, what: &str) {
        let what = Value::from(what);
        self.page.until(&format!("{SCREEN}.includes({what})")).await;
    }

    async fn api(&self, method: Method, below: &str) -> (u16, Value) {
        let url = self.service.url(&format!("{}{below}", self.path));
        told(
            self.service
                .client
                .request(method, url)
                .bearer_auth(&self.key),
        )
        .await
    }

    async fn file(&self, path: &str) -> String {
        let url = self
            .service
            .url(&format!("{}/files?path={path}", self.path));
        let request = self.service.client.get(url).bearer_auth(&self.key);
        request.send().await.unwrap().text().await.unwrap()
    }

    pub async fn end(mut self) {
        assert_eq!(self.page.faults().await, [""; 0]);
        drop(self.page);
        self.service.end().await;
    }
}

#[tokio::test]
async fn without_sandboxes_it_says_how_to_have_one() {
    let service = lab::start().await;
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    page.value("location.hash = '#sandboxes'").await;
    page.until(&seen("sandboxes-none")).await;
    let how = format!("curl -sS {}/api/v1/sandboxes", service.url(""));
    assert_eq!(page.value(&holds("sandboxes-how", &how)).await, true);
    assert_eq!(page.value(&seen("programs")).await, false);
    // Every field of the view is reached by Tab.
    let mut reached = Vec::new();
    while !reached.contains(&"sandboxes-how".into()) {
        page.press("Tab", 9, 0).await;
        reached.push(page.value("document.activeElement.id").await);
        assert!(reached.len() < 30, "{reached:?}");
    }
    for field in ["sandbox-language", "sandbox-minutes"] {
        assert!(reached.contains(&field.into()), "{field}: {reached:?}");
    }
    page.value("location.hash = '#sandboxes/nobody'").await;
    page.until(&holds("sandbox-told", "is not there")).await;
    page.value("document.querySelector('nav a').click()").await;
    page.until(&seen("programs")).await;
    assert_eq!(page.faults().await, [""; 0]);
    // What the policy forbids is seen here.
    page.value("document.body.setAttribute('style', 'color: red')")
        .await;
    assert_ne!(page.faults().await, [""; 0]);
    drop(page);
    service.end().await;
}

#[tokio::test]
async fn processes_and_files_of_a_sandbox_are_shown_and_acted_on() {
    let Some(mut view) = View::open().await else {
        return;
    };
    for (row, what) in [
        ("sandbox-rows", "user=<b>42</b>"),
        ("sandbox-rows", "MiB"),
        ("sandbox-rows", &view.service.engine()),
    ] {
        view.page.until(&holds(row, what)).await;
    }
    view.looks().await;
    let page = &mut view.page;
    let focus = page.value("document.activeElement.id").await;
    assert_eq!(focus, "sandbox-title");
    // A process: started, heard of, ended by a signal.
    page.value("document.getElementById('process-cmd').focus()")
        .await;
    page.enters("echo '<i>out</i>'; echo err >&2; exec sleep 1000")
        .await;
    page.until(&format!(
        "{} && {}",
        holds("process-output", "<i>out</i>\n"),
        holds("process-output", "err")
    ))
    .await;
    page.until(&holds("process-rows", "runs")).await;
    page.value("document.querySelector('#process-rows select').value = 'SIGTERM'")
        .await;
    page.value(&press("Send")).await;
    page.until(&holds("process-rows", "ended, signal 15")).await;
    page.until(&holds("process-output", "ended, signal 15"))
        .await;
    // Files: up, a folder, down, away.
    let folder = tempfile::tempdir().unwrap();
    let name = "up & <down>.txt";
    let local = folder.path().join(name);
    std::fs::write(&local, "some bytes").unwrap();
    page.choose("file-upload", &[&local]).await;
    page.until(&holds("file-rows", name)).await;
    page.value("document.getElementById('folder-name').focus()")
        .await;
    page.enters("sub").await;
    page.until(&holds("file-rows", "sub/")).await;
    std::fs::remove_file(&local).unwrap();
    let allow = json!({"behavior": "allow", "downloadPath": folder.path()});
    page.call("Page.setDownloadBehavior", allow).await;
    page.value(&press(name)).await;
    // Browsers name it anew where its name has what no file may have everywhere.
    let whole = || {
        let mut entries = std::fs::read_dir(folder.path()).unwrap();
        entries.any(|entry| {
            std::fs::read_to_string(entry.unwrap().path()).is_ok_and(|text| text == "some bytes")
        })
    };
    lab::until(Duration::from_secs(30), "the download", whole).await;
    page.value(&press("sub/")).await;
    page.until(&seen("files-none")).await;
    page.value("document.getElementById('files-up').click()")
        .await;
    page.until(&holds("file-rows", name)).await;
    let delete = "[...document.querySelectorAll('#file-rows tr')].find((r) => r.textContent.includes('up &')).querySelector('td:last-child button:last-child').click()";
    page.value(delete).await;
    page.until(&holds("file-rows", "sure?")).await;
    page.value(delete).await;
    page.until(&format!("!{}", holds("file-rows", name))).await;
    assert_eq!(
        view.file("/work/up+%26+%3Cdown%3E.txt").await.find("some"),
        None
    );
    // More time; the end.
    view.page.value(&press("More time")).await;
    view.page.until(&holds("sandbox-told", "from now on")).await;
    view.page.value(&press("End it")).await;
    view.page.value(&press("End it: sure?")).await;
    view.page.until(&seen("sandboxes-none")).await;
    assert_eq!(view.api(Method::GET, "").await.0, 404);
    view.end().await;
}

#[tokio::test]
async fn a_shell_in_the_page_is_typed_at_resized_and_runs_vi() {
    let Some(mut view) = View::open().await else {
        return;
    };
    view.looks().await;
    view.shell().await;
    view.page.enters("echo $((6*7))").await;
    view.until_shown("\n42").await;
    // A colour of its own is a style that the page sets by script.
    view.page
        .enters("printf '\\e[48;2;9;99;199mdeep\\e[0m\\n'")
        .await;
    view.page
        .until("[...document.querySelectorAll('.xterm-rows span')].some((s) => s.textContent.includes('deep') && getComputedStyle(s).backgroundColor === 'rgb(9, 99, 199)')")
        .await;
    let rows = "document.querySelectorAll('.xterm-rows > div').length";
    for height in ["300px", "200px"] {
        let before = view.page.value(rows).await;
        let set = format!("document.getElementById('terminal').style.height = '{height}'");
        view.page.value(&set).await;
        view.page.until(&format!("{rows} < {before}")).await;
        let now = view.page.value(rows).await;
        view.page.enters("clear; echo =$(stty size)=").await;
        view.until_shown(&format!("={now} ")).await;
    }
    let asks =
        "printf '\\e[c\\e[6n\\e[>c\\e]11;?\\a'; IFS= read -rsd '\\' -t 5 x; echo \"=${x:1:1}=\"";
    view.page.enters(asks).await;
    view.until_shown("=[=").await;
    view.page.enters("clear; vi /work/v.txt").await;
    view.until_shown("~").await;
    view.page.types("ihello").await;
    view.until_shown("hello").await;
    view.page.press("Escape", 27, 0).await;
    view.page.enters(":wq").await;
    view.until_shown("$ ").await;
    assert_eq!(view.file("/work/v.txt").await, "hello\n");
    // Tab is the shell's, which completes the one name that fits; another key leaves. (At an empty prompt it would go
    // through all commands, and a resize meanwhile has readline forget those that it found: it then completes what the
    // rest has in common, such as the `z` of zless and zmore.)
    view.page.types("echo done=/work/v.t").await;
    view.page.press("Tab", 9, 0).await;
    view.until_shown("done=/work/v.txt").await;
    view.page.press("Enter", 13, 0).await;
    view.until_shown("\ndone=/work/v.txt").await;
    let focus = "document.activeElement.className";
    assert_eq!(view.page.value(focus).await, "xterm-helper-textarea");
    view.page.press("Enter", 13, 2 | 8).await;
    let focus = "document.activeElement.textContent";
    assert_eq!(view.page.value(focus).await, "Close the terminal");
    view.page
        .value("document.getElementById('terminal').style.height = ''")
        .await;
    for scheme in ["light", "dark"] {
        view.page.screenshot("sandboxes", scheme).await;
    }
    let width = view.page.width(400).await;
    assert!(width.as_u64() <= Some(400), "{width}");
    for scheme in ["light", "dark"] {
        view.page.screenshot("sandboxes-narrow", scheme).await;
    }
    // Closed, and taken up again from the list of processes.
    view.page.value(&press("Close the terminal")).await;
    view.page.until(&format!("!!{}", button("Terminal"))).await;
    view.page.value(&press("Terminal")).await;
    view.page
        .until(&format!("{} === 'ready'", text("terminal-told")))
        .await;
    view.until_shown("$ ").await;
    // What asked for an answer then is shown again, and gets none.
    view.page.enters("clear; echo =$?=").await;
    view.until_shown("=0=").await;
    view.page.enters("exit 3").await;
    view.page
        .until(&holds("terminal-told", "the process ended"))
        .await;
    view.page
        .until(&holds("process-rows", "ended, exit 3"))
        .await;
    view.end().await;
}

#[tokio::test]
async fn an_admins_key_sees_the_list_and_gets_no_terminal() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run], &[Scope::Admin]];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let body = json!({"language": "bash", "metadata": {"secret": "hunter2"}});
    let create = service
        .post("/api/v1/sandboxes", &body)
        .bearer_auth(&keys[0]);
    let id = told(create).await.1["id"].as_str().unwrap().to_owned();
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    gives_key(&mut page, &keys[1]).await;
    page.value(&format!("location.hash = '#sandboxes/{id}'"))
        .await;
    page.until(&holds("sandbox-rows", &id[id.len() - 12..]))
        .await;
    page.until(&holds("sandbox-rows", "of key")).await;
    page.until(&holds("sandbox-told", "is not there")).await;
    assert_eq!(
        page.value("document.querySelectorAll('#sandbox-rows a').length")
            .await,
        0
    );
    let whole = page.value(&text("sandboxes")).await;
    assert!(!whole.as_str().unwrap().contains("hunter2"), "{whole}");
    assert_eq!(page.value(&seen("sandbox-parts")).await, false);
    page.until(&holds("sandbox-needs", "scope run")).await;
    assert_eq!(page.value(&super::disabled("sandbox-begin")).await, true);
    assert_eq!(page.faults().await, [""; 0]);
    drop(page);
    service.end().await;
}
