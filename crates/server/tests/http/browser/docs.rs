//! The API's page: found one's way in, its examples chosen, a call made from it with a key.

use super::holds;
use crate::chromium::Browser;
use crate::lab;
use serde_json::Value;
use server::keys::file::Scope;

/// Milliseconds until a page shows something.
const FIRST_PAINT: f64 = 1000.0;

/// A part of the form of one operation.
fn part(operation: &str, part: &str) -> String {
    format!("document.querySelector('#{operation} .attempt {part}')")
}

/// Opens the form of an operation and sends it; waits for its answer.
async fn attempt(page: &mut Browser, operation: &str, status: &str) -> Value {
    page.value(&format!(
        "document.querySelector('#{operation} .attempt').open = true"
    ))
    .await;
    page.value(&format!("{}.focus()", part(operation, "button.main")))
        .await;
    page.press("Enter", 13, 0).await;
    let told = part(operation, ".told");
    page.until(&format!("{told}.textContent.startsWith('{status}')"))
        .await;
    let body = part(operation, "pre.body");
    page.until(&format!("{body}.textContent !== ''")).await;
    page.value(&format!("{body}.textContent")).await
}

#[tokio::test]
async fn a_call_is_found_read_and_tried_with_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run]];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    let url = service.url("/docs");
    let paint = page.first_paint(&url, FIRST_PAINT).await;
    assert!(paint < FIRST_PAINT, "{paint} ms");
    page.until("document.documentElement.classList.contains('chosen')")
        .await;

    // From the top: past the header to the first call, and one way to call it at a time.
    page.press("Tab", 9, 0).await;
    page.press("Enter", 13, 0).await;
    page.until("location.hash === '#calls'").await;
    let snippets = "[...document.querySelectorAll('#post-api-v1-execute .snippet')]";
    let seen =
        format!("{snippets}.filter((s) => s.checkVisibility()).map((s) => s.dataset.form).join()");
    assert_eq!(page.value(&seen).await, "curl");
    page.value("document.querySelector('.chooser [data-form=python]').focus()")
        .await;
    page.press("Enter", 13, 0).await;
    page.until(&format!("{seen} === 'python'")).await;
    // They have the reader's own address.
    let address = format!(
        "{snippets}.every((s) => s.textContent.includes('{}/api'))",
        service.url("")
    );
    assert_eq!(page.value(&address).await, true);

    // Without a key a call is refused, as everywhere.
    let languages = "get-api-v1-languages";
    let refused = attempt(&mut page, languages, "401").await;
    assert!(refused.as_str().unwrap().contains("unauthorized"));
    page.value("document.getElementById('key').focus()").await;
    page.insert(&keys[0]).await;
    page.press("Enter", 13, 0).await;
    page.until(&holds("key-told", "kept in this tab")).await;
    let listed = attempt(&mut page, languages, "200").await;
    assert!(listed.as_str().unwrap().contains("python"), "{listed}");
    let headers = format!("{}.textContent", part(languages, "pre.headers"));
    let headers = page.value(&headers).await;
    assert!(
        headers
            .as_str()
            .unwrap()
            .contains("content-type: application/json")
    );

    // What is filled in stands in the examples of that call, and a refusal of it is one of those that are listed.
    let stat = "get-api-v1-sandboxes-id-entries-stat";
    page.value(&format!(
        "document.querySelector('#{stat} .attempt').open = true; {}.focus()",
        part(stat, "input[name=id]")
    ))
    .await;
    page.insert("no-such").await;
    let shown = format!(
        "document.querySelector('#{stat} .of-python.snippet').textContent.includes('sandboxes/no-such/entries')"
    );
    page.until(&shown).await;
    let refused = attempt(&mut page, stat, "404").await;
    let refused: Value = serde_json::from_str(refused.as_str().unwrap()).unwrap();
    let code = refused["code"].as_str().unwrap();
    let listed =
        format!("document.querySelector('#{stat} .refusals a[href=\"#{code}\"]') !== null");
    assert_eq!(page.value(&listed).await, true);

    if lab::can_run("python") {
        let ran = attempt(&mut page, "post-api-v1-execute", "200").await;
        assert!(
            ran.as_str().unwrap().contains("\"stdout\": \"42\\n\""),
            "{ran}"
        );
        page.value(
            "document.getElementById('post-api-v1-execute').scrollIntoView({behavior: 'instant'})",
        )
        .await;
        for scheme in ["light", "dark"] {
            page.screenshot_window("docs", scheme).await;
        }
    }
    // On a narrow screen nothing is cut, and the contents are folded until they are wanted.
    let width = page.width(400).await;
    assert!(width.as_u64() <= Some(400), "{width}");
    let contents = "document.querySelector('.contents details')";
    page.until(&format!("!{contents}.open")).await;
    page.value("document.querySelector('.contents summary').focus()")
        .await;
    page.press("Enter", 13, 0).await;
    page.until(&format!("{contents}.open")).await;
    page.press("Enter", 13, 0).await;
    page.value(
        "document.getElementById('post-api-v1-execute').scrollIntoView({behavior: 'instant'})",
    )
    .await;
    for scheme in ["light", "dark"] {
        page.screenshot_window("docs-narrow", scheme).await;
    }
    assert_eq!(page.faults().await, [""; 0]);
    drop(page);
    service.end().await;
}
