// The state of the service as it is now: the line below the header, load, pool, latency.
import { ask } from "/assets/api.js";
import { at, bytes, element, heldBy, how, seconds, show, span, Table, tell } from "/assets/dom.js";
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

const others = (sandboxes) => document.dispatchEvent(new CustomEvent("status", { detail: { sandboxes } }));

/** What another key was shown. */
export function forget() {
  held = last = null;
  others([]);
}

export async function refresh() {
  const asker = who();
  const name = asker.open ? "" : `key ${asker.name}`;
  if (!may("observe")) return tell("held", name, "muted");
  try {
    const status = await ask("/api/v1/status");
    if (asker !== who()) return;
    tell("held", [name, heldBy(status), `up ${span(status.uptime_seconds)}`].filter(Boolean).join(" · "), status.accelerator === "tcg" ? "warn" : "muted");
    last = status;
    tiles(status);
    pool.show(status.pool, (p) => p.language);
    latency.show(status.latency, (l) => l.path);
    for (const name of ["pool", "latency"]) show(`${name}-table`, status[name].length > 0, `${name}-none`);
    others(status.sandboxes);
  } catch (error) {
    if (asker === who()) tell("held", error.message, "bad");
  }
}

at("pool-none").append(how("[pool.python]\nmin = 2\nmax = 4"));
