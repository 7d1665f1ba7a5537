// What happens: load, jobs, events, the doctor's table.
import { ask, events, request } from "/assets/api.js";
import { at, element, row, rows, seconds, tone } from "/assets/dom.js";

const SHOWN_EVENTS = 200;

export async function refresh() {
  try {
    const status = await ask("/api/v1/status");
    at("held").textContent = `${status.engine} · ${status.accelerator} · ${status.jail} · up ${status.uptime_seconds} s`;
    at("held").className = status.accelerator === "tcg" ? "warn" : "good";
    const load = { running: `${status.running} of ${status.places}`, waiting: `${status.waiting} of ${status.queue_bound}`, sessions: status.sessions };
    at("load").replaceChildren(...Object.entries(load).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
    rows("pool", status.pool.map((p) => [p.language, p.ready, p.min, p.max]));
    rows("latency", status.latency.map((l) => [l.path, l.count, seconds(l.p50_seconds), seconds(l.p95_seconds)]));
    document.dispatchEvent(new CustomEvent("status", { detail: status }));
    rows("jobs", status.jobs.map((j) => [j.trace_id, j.language, element("td", j.status, tone(j.status)), j.path, seconds(j.total_seconds)]));
  } catch (error) {
    at("held").textContent = error.message;
    at("held").className = "bad";
  }
}

let watching = null;

export async function watch() {
  watching?.abort();
  const own = (watching = new AbortController());
  while (!own.signal.aborted) {
    try {
      const response = await request("/api/v1/events?limit=50", { headers: { accept: "text/event-stream" }, signal: own.signal });
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

at("doctor-run").addEventListener("click", doctor);
