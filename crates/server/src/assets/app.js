// The dashboard. Whatever a job or a client wrote is put on the page as text, never as HTML.
import { pieces } from "/assets/highlight.js";

const at = (id) => document.getElementById(id);
const SHOWN_EVENTS = 200;
const SHOWN_OUTPUT = 200_000;
// As a picture an SVG file runs no script and fetches nothing.
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"];
const EXAMPLES = {
  python: 'import sys\n\nprint("Hello from", sys.version.split()[0])\n',
  node: 'console.log("Hello from", process.version);\n',
  go: 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello from Go")\n}\n',
  rust: 'fn main() {\n    println!("Hello from Rust");\n}\n',
  bash: 'echo "Hello from bash $BASH_VERSION"\n',
};

// The key lives as long as this tab, and only in it.
let key = sessionStorage.getItem("key") ?? "";
let running = null;

function headers(more = {}) {
  return key ? { authorization: `Bearer ${key}`, ...more } : more;
}

async function ask(path) {
  const response = await fetch(path, { headers: headers({ accept: "application/json" }) });
  if (!response.ok) throw await problem(response);
  return response.json();
}

async function problem(response) {
  const body = await response.json().catch(() => ({}));
  return new Error(body.detail ?? `the service answered ${response.status}`);
}

/** Reads server-sent events from a fetch, for an EventSource cannot send a key. */
async function* events(response) {
  let text = "";
  for await (const chunk of lines(response.body.pipeThrough(new TextDecoderStream()))) {
    text += chunk;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const block = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name) => block.filter((l) => l.startsWith(name)).map((l) => l.slice(name.length).trim()).join("\n");
      if (field("event:")) yield { name: field("event:"), data: JSON.parse(field("data:")) };
    }
  }
}

async function* lines(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = String(text);
  if (className) made.className = className;
  return made;
}

function rows(id, list) {
  at(id).replaceChildren(...list.map((cells) => row(cells)));
}

function row(cells) {
  const tr = element("tr");
  tr.append(...cells.map((cell) => (cell instanceof Node ? cell : element("td", cell ?? "–"))));
  return tr;
}

const seconds = (value) => (typeof value === "number" ? (value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`) : "–");
const tone = (status) => ({ ok: "good", running: "", pass: "good", warn: "warn", unknown: "warn" })[status] ?? "bad";

// The editor

function highlight() {
  const spans = [...pieces(at("language").value, at("editor").value)].map(([kind, text]) => element("span", text, kind));
  // A last line that is empty has no height without a character.
  at("shadow").replaceChildren(...spans, "\n");
  follow();
}

function follow() {
  const shadow = at("shadow").parentElement;
  shadow.scrollTop = at("editor").scrollTop;
  shadow.scrollLeft = at("editor").scrollLeft;
}

function example() {
  const written = at("editor").value;
  if (written === "" || Object.values(EXAMPLES).includes(written)) {
    at("editor").value = EXAMPLES[at("language").value] ?? "";
  }
  highlight();
}

// Running

function request() {
  const number = (id) => (at(id).value === "" ? undefined : Number(at(id).value));
  return {
    language: at("language").value,
    code: at("editor").value,
    stdin: at("stdin").value || undefined,
    timeout: number("timeout"),
    memory_mib: number("memory"),
    vcpus: number("vcpus"),
  };
}

function show(text, className) {
  const output = at("output");
  if (output.textContent.length > SHOWN_OUTPUT) return;
  const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
  output.append(element("span", text, className));
  if (atEnd) output.scrollTop = output.scrollHeight;
}

async function run(event) {
  event?.preventDefault();
  if (running) return;
  running = new AbortController();
  at("run").disabled = true;
  at("stop").disabled = false;
  at("output").replaceChildren();
  at("artifacts").replaceChildren();
  at("result").textContent = "";
  ending("running …");
  try {
    const response = await fetch("/api/v1/execute", {
      method: "POST",
      headers: headers({ "content-type": "application/json", accept: "text/event-stream" }),
      body: JSON.stringify(request()),
      signal: running.signal,
    });
    if (!response.ok) throw await problem(response);
    for await (const { name, data } of events(response)) {
      if (name === "result") finish(data);
      else show(data.data, name);
    }
  } catch (error) {
    ending(error.name === "AbortError" ? "stopped; its VM is gone" : error.message, "bad");
  } finally {
    running = null;
    at("run").disabled = false;
    at("stop").disabled = true;
  }
}

function ending(text, className = "") {
  at("ending").textContent = text;
  at("ending").className = className;
}

function finish(result) {
  const { timings, usage } = result;
  const how = result.error ?? "ended well";
  ending(`${result.status}: ${how} · ${seconds(timings.total)} (${timings.path ?? "no VM"}) · ${usage.memory_peak_mib} MiB`, tone(result.status));
  const { artifacts, ...rest } = result;
  at("result").textContent = JSON.stringify(rest, null, 2);
  at("artifacts").replaceChildren(...artifacts.map(artifact));
}

function artifact({ name, size, mime_type, data }) {
  const figure = element("figure");
  figure.append(element("figcaption", `${name} · ${mime_type} · ${size} bytes`));
  const content = data[mime_type];
  if (PICTURES.includes(mime_type)) {
    const bytes = mime_type === "image/svg+xml" ? content : Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
    const picture = element("img");
    picture.alt = name;
    picture.src = URL.createObjectURL(new Blob([bytes], { type: mime_type }));
    picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
    figure.append(picture);
  } else {
    figure.append(element("pre", typeof content === "string" ? content : JSON.stringify(content, null, 2)));
  }
  return figure;
}

// What happens

async function refresh() {
  try {
    const status = await ask("/api/v1/status");
    at("held").textContent = `${status.engine} · ${status.accelerator} · ${status.jail} · up ${status.uptime_seconds} s`;
    at("held").className = status.accelerator === "tcg" ? "warn" : "good";
    const load = { running: `${status.running} of ${status.places}`, waiting: `${status.waiting} of ${status.queue_bound}`, sessions: status.sessions };
    at("load").replaceChildren(...Object.entries(load).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
    rows("pool", status.pool.map((p) => [p.language, p.ready, p.min, p.max]));
    rows("latency", status.latency.map((l) => [l.path, l.count, seconds(l.p50_seconds), seconds(l.p95_seconds)]));
    rows("jobs", status.jobs.map((j) => [j.trace_id, j.language, element("td", j.status, tone(j.status)), j.path, seconds(j.total_seconds)]));
  } catch (error) {
    at("held").textContent = error.message;
    at("held").className = "bad";
  }
}

let watching = null;

async function watch() {
  watching?.abort();
  const own = (watching = new AbortController());
  while (!own.signal.aborted) {
    try {
      const response = await fetch("/api/v1/events?limit=50", { headers: headers({ accept: "text/event-stream" }), signal: own.signal });
      if (!response.ok) throw await problem(response);
      at("events").replaceChildren();
      for await (const { name, data } of events(response)) {
        if (name !== "event") continue;
        const time = data.timestamp.slice(11, 23);
        at("events").prepend(row([time, element("td", data.event_type, data.event_type.startsWith("VM_ST") ? "" : "warn"), data.trace_id, data.details]));
        while (at("events").children.length > SHOWN_EVENTS) at("events").lastChild.remove();
        refreshSoon();
      }
    } catch (error) {
      if (own.signal.aborted) return;
    }
    await new Promise((done) => setTimeout(done, 3000));
  }
}

let soon = 0;
function refreshSoon() {
  clearTimeout(soon);
  soon = setTimeout(refresh, 150);
}

async function doctor() {
  at("doctor-run").disabled = true;
  try {
    const table = await ask("/api/v1/doctor");
    const cells = (r) => [r.id, element("td", r.status, tone(r.status)), r.status === "pass" ? r.seen : `${r.seen} – ${r.why} ${r.fix}`];
    const worst = (r) => ["fail", "warn", "pass"].indexOf(r.status);
    const list = table.checks.toSorted((a, b) => worst(a) - worst(b));
    rows("doctor", list.length ? list.map(cells) : [["there is no doctor here; run: llm-firecracker doctor"]]);
  } catch (error) {
    rows("doctor", [[error.message]]);
  } finally {
    at("doctor-run").disabled = false;
  }
}

async function languages() {
  try {
    const list = await ask("/api/v1/languages");
    const chosen = at("language").value;
    at("language").replaceChildren(...list.map((language) => {
      const option = element("option", language.available ? language.runtime : `${language.runtime} (no image)`);
      option.value = language.name;
      return option;
    }));
    if (chosen) at("language").value = chosen;
    example();
  } catch (error) {
    ending(error.message, "bad");
  }
}

function begin() {
  languages();
  refresh();
  watch();
}

at("editor").addEventListener("input", highlight);
at("editor").addEventListener("scroll", follow);
at("language").addEventListener("change", example);
at("run-form").addEventListener("submit", run);
at("stop").addEventListener("click", () => running?.abort());
at("doctor-run").addEventListener("click", doctor);
at("editor").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event);
});
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  sessionStorage.setItem("key", key);
  at("key").value = "";
  begin();
});
begin();
setInterval(refresh, 5000);
