//! The dashboard's views: what they say where nothing ran, what of it a key sees that is its own, and what an
//! administrator sees. All of them in both colours and on a narrow screen.

use super::sandboxes::{gives_key, seen};
use super::{holds, text};
use crate::chromium::Browser;
use crate::lab::{self, Service};
use crate::sandboxes::told;
use serde_json::{Value, json};
use server::keys::file::Scope;
use std::time::Duration;

/// Milliseconds until a page shows something.
const FIRST_PAINT: f64 = 1000.0;

/// Leaves a picture and a table, and says something hostile.
const PROGRAM: &str = r#"
mkdir -p out/plots
printf '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="120"><script>window.hostile=1</script><polyline points="10,110 90,60 170,80 290,10" fill="none" stroke="teal" stroke-width="3"/></svg>' > out/plots/loss.svg
printf 'epoch,loss\n1,0.9\n2,0.4\n' > out/table.csv
echo '<img src=x onerror="window.hostile=1">'
echo 'a warning' >&2
"#;

async fn runs(service: &Service, key: &str, code: &str) -> Value {
    let body = json!({"language": "bash", "code": code, "timeout": 1});
    let (_, body) = told(service.post("/api/v1/execute", &body).bearer_auth(key)).await;
    body
}

async fn shows(page: &mut Browser, view: &str) {
    page.value(&format!("location.hash = '#{view}'")).await;
    page.until(&seen(view)).await;
}

/// Pictures of a view, and that nothing of it is cut on a narrow screen.
async fn pictures(page: &mut Browser, name: &str) {
    for scheme in ["light", "dark"] {
        page.screenshot(name, scheme).await;
    }
    let width = page.width(400).await;
    assert!(width.as_u64() <= Some(400), "{name}: {width}");
    page.screenshot(&format!("{name}-narrow"), "light").await;
    page.screenshot(&format!("{name}-narrow"), "dark").await;
    page.width(1400).await;
}

#[tokio::test]
async fn empty_views_say_what_to_do_and_are_painted_within_a_second() {
    let service = lab::start().await;
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    let paint = page.first_paint(&service.url("/"), FIRST_PAINT).await;
    assert!(paint < FIRST_PAINT, "{paint} ms");
    for (view, none) in [
        ("jobs", "jobs-none"),
        ("usage", "usage-none"),
        ("sandboxes", "sandboxes-none"),
        ("overview", "pool-none"),
    ] {
        shows(&mut page, view).await;
        // Other services used something of this folder, maybe.
        if view != "usage" {
            page.until(&seen(none)).await;
            let how = format!("document.querySelector('#{none} .how button')");
            page.value(&format!("{how}.focus()")).await;
            page.press("Enter", 13, 0).await;
            page.until(&format!("['Copied', 'Marked'].includes({how}.textContent)"))
                .await;
        }
    }
    page.until("[...document.querySelectorAll('.chart svg')].some((c) => c.ariaLabel?.includes('no job ended in this time'))")
        .await;
    assert_eq!(page.value(&seen("pool-table")).await, false);
    pictures(&mut page, "overview-empty").await;
    page.until("document.querySelector('link[rel=icon]')?.href.startsWith('blob:')")
        .await;
    assert_eq!(page.faults().await, [""; 0]);
    drop(page);
    service.end().await;
}

#[tokio::test]
async fn jobs_charts_and_usage_are_a_keys_own_or_everybodys() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run], &[Scope::Run, Scope::Admin]];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let first = runs(&service, &keys[0], PROGRAM).await;
    let second = runs(&service, &keys[1], "sleep 30").await;
    assert_eq!(
        (&first["status"], &second["status"]),
        (&json!("ok"), &json!("timeout"))
    );
    runs(&service, &keys[1], "").await;
    let wrong = json!({"language": "bash"});
    assert_eq!(
        told(
            service
                .post("/api/v1/execute", &wrong)
                .bearer_auth(&keys[0])
        )
        .await
        .0,
        400
    );
    let Some(mut page) = Browser::open(&service).await else {
        service.end().await;
        return;
    };
    page.value("window.hostile = 0").await;
    let id = |job: &Value| job["trace_id"].as_str().unwrap().to_owned();

    // Its own: no job of another, no numbers of all.
    gives_key(&mut page, &keys[0]).await;
    page.until(&holds("held", "key key-0")).await;
    shows(&mut page, "jobs").await;
    page.until(&holds("job-rows", &id(&first))).await;
    assert_eq!(page.value(&holds("job-rows", &id(&second))).await, false);
    let overview = "document.querySelector('nav a[href=\"#overview\"]').checkVisibility()";
    assert_eq!(page.value(overview).await, false);
    let other = format!("location.hash = '#jobs/{}'", id(&second));
    page.value(&other).await;
    page.until(&holds("job-told", "there is no such job")).await;
    shows(&mut page, "usage").await;
    page.until(&holds("usage-rows", "key-0")).await;
    assert_eq!(page.value(&holds("usage-rows", "key-1")).await, false);

    // Everybody's.
    gives_key(&mut page, &keys[1]).await;
    page.until(&holds("usage-rows", "key-1")).await;
    pictures(&mut page, "usage").await;
    shows(&mut page, "jobs").await;
    page.until(&format!(
        "{} && {}",
        holds("job-rows", &id(&first)),
        holds("job-rows", &id(&second))
    ))
    .await;
    pictures(&mut page, "jobs").await;
    job(&mut page, &id(&first)).await;
    charts(&mut page).await;
    assert_eq!(page.value("window.hostile").await, 0);
    assert_eq!(page.faults().await, [""; 0]);
    drop(page);
    service.end().await;
}

/// One job by keyboard: its output as text, its picture, its file to save, its events.
async fn job(page: &mut Browser, id: &str) {
    let link = format!(
        "[...document.querySelectorAll('#job-rows a')].find((a) => a.textContent === '{id}')"
    );
    page.value(&format!("{link}.focus()")).await;
    page.press("Enter", 13, 0).await;
    page.until(&seen("job-parts")).await;
    assert_eq!(page.value("document.activeElement.id").await, "job-title");
    for (part, what) in [
        ("job-status", "ok"),
        ("job-facts", "key-0"),
        ("job-result", "<img src=x"),
        ("job-result", "a warning"),
        ("job-timings", "in all"),
        ("job-timings", "rest: "),
        ("job-artifacts", "1,0.9"),
        ("job-events", "VM_STOP"),
    ] {
        page.until(&holds(part, what)).await;
    }
    page.until("document.querySelector('#job-artifacts img')?.naturalWidth === 300")
        .await;
    let made = "document.querySelectorAll('#job-result img, #job-artifacts script').length";
    assert_eq!(page.value(made).await, 0);
    let folder = tempfile::tempdir().unwrap();
    let allow = json!({"behavior": "allow", "downloadPath": folder.path()});
    page.call("Page.setDownloadBehavior", allow).await;
    page.value("document.querySelector('[aria-label=\"Save table.csv\"]').click()")
        .await;
    let saved = folder.path().join("table.csv");
    let whole = || std::fs::read_to_string(&saved).is_ok_and(|text| text.ends_with("2,0.4\n"));
    lab::until(Duration::from_secs(60), "the file", whole).await;
    pictures(page, "job").await;
    page.value("document.querySelector('#job a').click()").await;
    page.until(&seen("job-list")).await;
}

/// Charts of what ran, gone through by keys.
async fn charts(page: &mut Browser) {
    shows(page, "overview").await;
    let chart = |title: &str| {
        format!(
            "[...document.querySelectorAll('.chart')].find((c) => c.textContent.startsWith('{title}'))"
        )
    };
    let jobs = chart("Jobs by how");
    page.until(&format!(
        "{jobs}.querySelector('svg').ariaLabel?.includes('timeout 1')"
    ))
    .await;
    for title in ["Latency by path", "Refusals by reason"] {
        let drawn = format!(
            "{}.querySelectorAll('svg .bar, svg .line, svg .dot').length > 0",
            chart(title)
        );
        page.until(&drawn).await;
    }
    // The worst of a path is marked otherwise than its middle, also where each is one dot.
    let marks = format!(
        "{}.querySelectorAll('svg .ring, svg .dashed').length > 0",
        chart("Latency by path")
    );
    page.until(&marks).await;
    // Of what is measured the legend tells the most; labels stand at round times.
    page.until(&format!(
        "{}.textContent.includes('most in this time')",
        chart("Jobs at work")
    ))
    .await;
    let round = format!(
        "[...{jobs}.querySelectorAll('.x')].every((t) => /:[0-5][05]$/.test(t.textContent))"
    );
    assert_eq!(page.value(&round).await, true);
    page.until(&holds("events", "key-0")).await;
    let legend = format!("{jobs}.querySelector('.legend').innerText");
    page.until(&format!(
        "{legend}.includes('ok') && {legend}.includes('timeout')"
    ))
    .await;
    // The first of the times is before anything ran.
    page.value(&format!("{jobs}.querySelector('svg').focus()"))
        .await;
    page.press("Home", 36, 0).await;
    page.until(&format!("{jobs}.querySelector('figcaption small').textContent !== '' && {jobs}.querySelector('.legend b').textContent === '0'"))
        .await;
    let day =
        "[...document.querySelectorAll('#ranges button')].find((b) => b.textContent === 'Day')";
    page.value(&format!("{day}.click()")).await;
    page.until(&format!("{day}.ariaPressed === 'true'")).await;
    page.until(&format!("{} === ''", text("overview-told")))
        .await;
    page.value("document.querySelector('#ranges button').click()")
        .await;
    page.until(&holds("load", "running")).await;
    pictures(page, "overview").await;
}
