//! The dashboard in real headless Chromium: a program is run by keyboard alone, its output, what it leaves
//! and its events are seen, and hostile output stays text. Screenshots go to `target/artifacts`.

mod docs;
mod escapes;
mod sandboxes;
mod views;

use crate::chromium::Browser;
use crate::lab;
use protocol::language::named;
use sandbox::config::{PoolSize, ReadyFor};
use sandboxes::seen;
use serde_json::{Value, json};
use server::keys::file::Scope;

/// Prints something that must not become HTML, waits to be seen at work, leaves a picture of either kind.
const PROGRAM: &str = r#"
import base64, os, time
print('<img src=x onerror="window.hostile=1"><script>window.hostile=1</script>', flush=True)
time.sleep(3)
os.makedirs('/work/out', exist_ok=True)
open('/work/out/page.html', 'w').write('<script>window.hostile=1</script>')
open('/work/out/plot.svg', 'w').write('<svg xmlns="http://www.w3.org/2000/svg" width="70" height="40"><script>window.hostile=1</script><rect width="70" height="40" fill="teal"/></svg>')
open('/work/out/dot.png', 'wb').write(base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='))
print('over')
"#;

/// Gives the page a key, as a person does, whatever comes of it.
async fn gives_key(page: &mut Browser, key: &str) {
    page.value("document.getElementById('key').focus()").await;
    page.insert(key).await;
    page.press("Enter", 13, 0).await;
}

/// What stands in an element.
fn text(id: &str) -> String {
    format!("document.getElementById('{id}').textContent")
}

fn disabled(id: &str) -> String {
    format!("document.getElementById('{id}').disabled")
}

fn holds(id: &str, what: &str) -> String {
    format!("{}.includes({})", text(id), Value::from(what))
}

#[tokio::test]
async fn a_program_is_run_by_keyboard_and_hostile_output_stays_text() {
    if !lab::can_run("python") || !lab::can_run("bash") {
        return;
    }
    let mut config = lab::sandbox_config();
    let one = PoolSize {
        min: 1,
        max: 1,
        max_age_seconds: 3600,
        warmed: false,
        ready_for: ReadyFor::Jobs,
    };
    config.pool = [(named("bash"), one)].into();
    let service = lab::start_with(config, lab::server_config()).await;
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    page.until(&crate::chromium::all_languages()).await;
    page.until(&holds("held", &service.engine())).await;
    page.value("window.hostile = 0; window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective + ' ' + e.blockedURI)); 0").await;

    // From the top of the page to the editor, which the next Tab leaves again.
    let mut reached = Vec::new();
    while !reached.contains(&"editor".into()) {
        page.press("Tab", 9, 0).await;
        reached.push(page.value("document.activeElement.id").await);
        assert!(reached.len() < 30, "{reached:?}");
    }
    for field in ["key", "language", "timeout", "memory", "vcpus"] {
        assert!(reached.contains(&field.into()), "{field}: {reached:?}");
    }
    page.value("document.getElementById('editor').select()")
        .await;
    page.insert(PROGRAM).await;
    page.press("Tab", 9, 0).await;
    assert_eq!(page.value("document.activeElement.id").await, "stdin");
    page.value("document.getElementById('editor').focus()")
        .await;
    page.press("Enter", 13, 2).await;

    // Seen while it runs, as text.
    let script = "<script>window.hostile=1</script>";
    let live = format!(
        "{} && {}",
        holds("output", script),
        holds("ending", "running")
    );
    page.until(&live).await;
    page.value("location.hash = '#jobs'").await;
    page.until(&holds("job-rows", "running")).await;
    page.value("location.hash = '#programs'").await;
    page.until(&format!("{}.startsWith('ok')", text("ending")))
        .await;
    assert_eq!(page.value(&holds("output", "over")).await, true);
    page.until(&format!(
        "{} && {}",
        holds("artifacts", "page.html"),
        holds("artifacts", script)
    ))
    .await;
    page.until("[...document.querySelectorAll('#artifacts img')].map((i) => i.naturalWidth).sort().join() === '1,70'").await;
    page.until(&holds("events", "VM_STOP")).await;
    page.until("document.querySelectorAll('#latency tr').length > 0")
        .await;
    page.until(&holds("pool", "bash")).await;
    assert_eq!(page.value("window.hostile").await, 0);
    let made = "document.querySelectorAll('#output img, #output script, #artifacts script').length";
    assert_eq!(page.value(made).await, 0);
    assert_eq!(
        page.value("document.querySelectorAll('#shadow .k').length > 0")
            .await,
        true
    );
    page.value("document.getElementById('doctor-run').click()")
        .await;
    page.until(&holds("doctor", "kvm-runs-guests")).await;
    // Each that asks for something has what to do as text of its own, to be copied.
    let fixes = "[...document.querySelectorAll('#doctor tr')].every((tr) => (tr.cells[1].textContent === 'pass') === !tr.querySelector('.how button'))";
    assert_eq!(page.value(fixes).await, true);
    page.screenshot("dashboard", "light").await;
    page.screenshot("dashboard", "dark").await;
    let width = page.width(400).await;
    assert!(width.as_u64() <= Some(400), "{width}");
    for scheme in ["light", "dark"] {
        page.screenshot("dashboard-narrow", scheme).await;
    }
    page.value("location.hash = '#overview'").await;
    page.until(&seen("doctor-table")).await;
    let width = page.width(400).await;
    assert!(width.as_u64() <= Some(400), "the doctor: {width}");
    page.screenshot("doctor-narrow", "light").await;
    page.value("location.hash = '#programs'").await;
    page.width(1400).await;
    assert_eq!(page.value("window.broken").await, json!([]));
    assert_eq!(page.faults().await, [""; 0]);

    // Stopped by its button: the VM goes with the request.
    page.value("document.getElementById('editor').select()")
        .await;
    page.insert("import time\nprint('up', flush=True)\ntime.sleep(60)")
        .await;
    page.value(
        "document.getElementById('timeout').value = 100; document.getElementById('run').click()",
    )
    .await;
    page.until(&holds("output", "up")).await;
    page.value("document.getElementById('stop').click()").await;
    page.until(&holds("ending", "stopped")).await;
    page.until(&holds("events", "went away")).await;
    drop(page);
    service.end().await;
}

#[tokio::test]
async fn the_page_says_what_a_key_lacks_and_draws_nothing_false() {
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[
        &[Scope::Run, Scope::Admin],
        &[Scope::Run],
        &[Scope::Observe],
    ];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    // Without a key it asks whether one is needed, and nothing else: who only opens the page is refused nothing.
    page.until(&holds("lacking-told", "paste a key above"))
        .await;
    let asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/')).length";
    assert_eq!(page.value(asked).await, 0);
    let events = service.feed.events(50);
    assert!(
        events
            .iter()
            .all(|event| !event.details.contains("unauthorized"))
    );
    assert_eq!(page.value(&seen("programs")).await, false);
    assert_eq!(page.value(&seen("key-forget")).await, false);

    gives_key(&mut page, &keys[0]).await;
    page.until(&holds("held", "key key-0 · ")).await;
    page.until(&holds("held", &service.engine())).await;
    page.until(&seen("programs")).await;
    assert_eq!(page.value("document.getElementById('key').value").await, "");
    assert_eq!(page.value(&disabled("run")).await, false);
    page.value("location.hash = '#overview'").await;
    page.until("[...document.querySelectorAll('#charts svg')].every((c) => c.ariaLabel)")
        .await;

    // What was drawn goes with the key, also where the page is loaded again.
    gives_key(&mut page, "lfc_wrong").await;
    for _ in 0..2 {
        page.until(&holds("lacking-told", "this key is not known"))
            .await;
        for part in ["overview", "charts", "pool-title", "latency-title"] {
            assert_eq!(page.value(&seen(part)).await, false, "{part}");
        }
        page.value("window.old = true; location.reload()").await;
        page.until("!window.old && document.readyState === 'complete'")
            .await;
    }
    gives_key(&mut page, &keys[1]).await;
    page.until(&holds("lacking-told", "scope observe or admin"))
        .await;
    assert_eq!(page.value(&seen("overview")).await, false);
    page.value("location.hash = '#sandboxes'").await;
    page.until(&seen("sandboxes-none")).await;
    for part in [
        "Authorization: Bearer $LLM_FIRECRACKER_KEY",
        &format!("create --url {} ", service.url("")),
    ] {
        page.until(&holds("sandboxes-how", part)).await;
    }
    assert_eq!(page.value(&disabled("sandbox-begin")).await, false);

    // Nothing is offered that would be refused.
    gives_key(&mut page, &keys[2]).await;
    page.until(&holds("held", "key key-2 · ")).await;
    for (what, told) in [("run", "ending"), ("sandbox-begin", "sandbox-needs")] {
        page.until(&format!(
            "{} && {}",
            disabled(what),
            holds(told, "scope run")
        ))
        .await;
    }
    page.value("document.getElementById('key-forget').click()")
        .await;
    page.until(&holds("lacking-told", "paste a key above"))
        .await;
    assert_eq!(
        page.value("sessionStorage.getItem('key')").await,
        Value::Null
    );
    assert_eq!(page.value(&seen("sandboxes")).await, false);
    assert_eq!(page.faults().await, [""; 0]);
    drop(page);
    service.end().await;
}
