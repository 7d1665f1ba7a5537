//! A hostile guest in the page's terminal: what it writes steers nothing but what it shows there.

use super::sandboxes::{SCREEN, View};
use serde_json::json;

/// What the page must not do because a guest says so; each is counted.
const WATCH: &str = r#"
  window.done = [];
  const note = (name) => (...args) => { window.done.push([name, ...args.map(String)]); };
  window.open = note("open");
  window.confirm = window.alert = window.prompt = note("dialog");
  navigator.clipboard && (navigator.clipboard.writeText = navigator.clipboard.readText = note("clipboard"));
  document.execCommand = note("command");
  window.moveTo = window.resizeTo = window.print = note("window");
  const send = WebSocket.prototype.send;
  window.flow = [];
  WebSocket.prototype.send = function (message) {
    if (typeof message === "string" && message.includes("flow")) window.flow.push(JSON.parse(message).flow);
    return send.call(this, message);
  };
  document.title"#;

/// Has the page take a MiB of messages at once, as after other work: by itself a fast one draws all as it comes.
const BUSY: &str = r#"
  const onmessage = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
  Object.defineProperty(WebSocket.prototype, "onmessage", { set(take) {
    let held = [], bytes = 0, timer;
    const give = () => { clearTimeout(timer); bytes = 0; held.splice(0).forEach((message) => take(message)); };
    onmessage.set.call(this, take && ((message) => {
      held.push(message);
      bytes += message.data.byteLength ?? 0;
      clearTimeout(timer);
      if (bytes >= 1 << 20) give(); else timer = setTimeout(give, 100);
    }));
  } });"#;

/// Titles, links, the clipboard both ways, windows moved, resized, told of and printed, a notification, a download and
/// a picture.
const ESCAPES: &str = r"\e]0;owned\a\e]1;owned\a\e]2;owned\e\\\e]8;;https://evil.example/\e\\click\e]8;;\e\\\e]52;c;b3duZWQ=\a\e]52;c;?\a\e[3;0;0t\e[4;9;9t\e[8;5;5t\e[2t\e[18t\e[21t\e[5i\e]9;owned\a\e]777;notify;a;b\a\e]1337;File=inline=0;name=b3duZWQ=:b3duZWQ=\a\ePq#0~\e\\";

#[tokio::test]
async fn a_guests_escape_codes_do_not_leave_its_terminal() {
    let Some(mut view) = View::open().await else {
        return;
    };
    let title = view.page.value(WATCH).await;
    view.looks().await;
    view.shell().await;
    let rows = "document.querySelectorAll('.xterm-rows > div').length";
    let before = view.page.value(rows).await;
    // What the terminal would answer is read as input, so that it is seen.
    let line = format!("clear; printf '{ESCAPES}'; IFS= read -rsn1 -t 2 x; echo \"got=${{#x}}=\"");
    view.page.enters(&line).await;
    view.until_shown("got=0=").await;
    // The link is text: nothing happens over it, nor when it is pressed.
    let place = "(() => { const rows = [...document.querySelectorAll('.xterm-rows > div')]; const r = rows.find((d) => d.textContent.startsWith('click')).getBoundingClientRect(); return [r.left + 12, r.top + r.height / 2]; })()";
    let place = view.page.value(place).await;
    for (kind, count) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 1)] {
        let params = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": count});
        view.page.call("Input.dispatchMouseEvent", params).await;
        let pointer = "document.querySelector('.xterm-cursor-pointer') === null";
        assert_eq!(view.page.value(pointer).await, true);
    }
    assert_eq!(view.page.value("document.title").await, title);
    assert_eq!(view.page.value("window.done").await, json!([]));
    assert_eq!(view.page.value(rows).await, before);
    let links = "document.querySelectorAll('#terminal a, #terminal img, #terminal script, #terminal canvas').length";
    assert_eq!(view.page.value(links).await, 0);
    view.end().await;
}

#[tokio::test]
async fn a_guest_that_floods_its_terminal_waits_for_the_page() {
    let Some(mut view) = View::open().await else {
        return;
    };
    view.page.value(WATCH).await;
    view.page.value(BUSY).await;
    view.looks().await;
    view.shell().await;
    view.page
        .enters("clear; yes $'\\e[31mred\\e[0m\\e[2J\\e[H' | head -c 6000000; echo over=$((6*7))=")
        .await;
    view.until_shown("over=42=").await;
    let flow = view.page.value("window.flow").await;
    let flow: Vec<String> = serde_json::from_value(flow).unwrap();
    assert!(flow.len() >= 2, "{flow:?}");
    for (at, word) in flow.iter().enumerate() {
        assert_eq!(word, ["pause", "resume"][at % 2], "{flow:?}");
    }
    // What was typed meanwhile is not lost.
    view.page.enters("echo still=$((1+1))=").await;
    view.until_shown("still=2=").await;
    let lines = view.page.value(&format!("{SCREEN}.length")).await;
    assert!(lines.as_u64() < Some(100_000), "{lines}");
    view.end().await;
}
