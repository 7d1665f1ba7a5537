// The state of the service as it is now: the line below the header, load, pool, latency.
import { ask } from "/assets/api.js";
import { at, bytes, element, how, seconds, show, span, Table } from "/assets/dom.js";
import { may, who } from "/assets/who.js";

const pool = new Table("pool", () => ({ language: (p) => p.language, ready: (p) => p.ready, min: (p) => p.min, max: (p) => p.max }));
const latency = new Table("latency", () => ({
  path: (l) => l.path,
  jobs: (l) => l.count,
  p50: (l) => seconds(l.p50_seconds),
  p95: (l) => seconds(l.p95_seconds),
}));

/** Figures that come with the history, not with the state. */
let held = null;
let last = null;

function tile([name, value]) {
  const made = element("div");
  made.append(element("dt", name), element("dd", value));
  return made;
}

function tiles(status) {
  const all = {
    running: `${status.running} of ${status.places}`,
    waiting: `${status.waiting} of ${status.queue_bound}`,
    "sessions, sandboxes": status.sessions,
    "VMs ready": status.pool.reduce((sum, { ready }) => sum + ready, 0),
    "memory held": held === null ? "–" : bytes(held),
    up: span(status.uptime_seconds),
  };
  at("load").replaceChildren(...Object.entries(all).map(tile));
}

/** Says how much memory all VMs hold, in bytes. */
export function holds(memory) {
  held = memory;
  if (last) tiles(last);
}

export async function refresh() {
  try {
    // Whose key does not count is told so already.
    if (who().id === null) return;
    if (!may("observe")) {
      at("held").textContent = `key ${who().name}`;
      at("held").className = "muted";
      return;
    }
    const status = await ask("/api/v1/status");
    at("held").textContent = `${status.engine} · ${status.accelerator} · ${status.jail} · up ${span(status.uptime_seconds)}`;
    at("held").className = status.accelerator === "tcg" ? "warn" : "muted";
    last = status;
    tiles(status);
    pool.show(status.pool, (p) => p.language);
    latency.show(status.latency, (l) => l.path);
    for (const name of ["pool", "latency"]) show(`${name}-table`, status[name].length > 0, `${name}-none`);
    document.dispatchEvent(new CustomEvent("status", { detail: status }));
  } catch (error) {
    at("held").textContent = error.message;
    at("held").className = "bad";
  }
}

at("pool-none").append(how("[pool.python]\nmin = 2\nmax = 4"));
