// Sandboxes: the list, and the one that is looked at.
import { ask, send } from "/assets/api.js";
import { at, button, cell, element, facts as factsOf, heldBy, how, since, span, surely, Table, tell } from "/assets/dom.js";
import * as files from "/assets/files.js";
import * as processes from "/assets/processes.js";
import { curlKey, lacking } from "/assets/who.js";

const REFRESH_MILLIS = 2000;
/** What "more time" gives, unless its timeout was longer. */
const MORE_SECONDS = 1800;

let visible = false;
/** The module of terminals, once one was wanted: it is the largest part of the page. */
let terminal = null;
/** The one that is looked at, by its id. */
let chosen = null;
/** Of all keys, as an operator is told of them. */
let observed = [];
let observedAt = 0;
/** This key's own, by id. */
let own = new Map();
/** The list could not be had. */
let failed = false;

const path = (id) => `/api/v1/sandboxes/${encodeURIComponent(id)}`;

function left(item) {
  const row = observed.find((one) => one.id === item.id);
  // It goes on between two looks, as the age does.
  if (row) return `${span(row.seconds_left - (Date.now() - observedAt) / 1000)} (${row.limit})`;
  const total = span((Date.parse(item.expires_at) - Date.now()) / 1000);
  return `${total} (total), ${span(item.idle_timeout)} without use`;
}

const words = (metadata) => Object.entries(metadata).map(([name, value]) => `${name}=${value}`).join(" ") || "–";

const list = new Table("sandbox-rows", (item) => {
  const name = element("a", item.id.slice(-12), "name");
  name.href = `#sandboxes/${item.id}`;
  name.title = item.id;
  return {
    sandbox: own.has(item.id) ? cell(name) : cell(element("span", item.id.slice(-12), "name"), ` of key ${item.key}`),
    language: () => item.language,
    age: () => since(item.created_at),
    "time left": (now) => left(now),
    metadata: (now) => (now.metadata ? words(now.metadata) : "–"),
    memory: () => `${item.memory_mib} MiB`,
    engine: () => item.engine ?? item.isolation.engine,
  };
});

async function refresh() {
  if (!visible || document.hidden) return;
  try {
    own = new Map((await ask("/api/v1/sandboxes")).map((item) => [item.id, item]));
    const others = observed.filter((row) => !own.has(row.id));
    const all = [...own.values(), ...others];
    list.show(all, (item) => `${own.has(item.id)} ${item.id}`);
    at("sandboxes-none").hidden = all.length > 0;
    at("sandbox-table").hidden = all.length === 0;
    if (own.has(chosen)) {
      facts(own.get(chosen));
      await processes.refresh();
    } else if (!at("sandbox-parts").hidden) {
      gone("this sandbox is not there; it ended, or it is another key's");
    }
    if (failed) tell("sandboxes-told", "");
    failed = false;
  } catch (error) {
    failed = true;
    tell("sandboxes-told", error.message, "bad");
  }
}

function facts(item) {
  factsOf("sandbox-facts", {
    language: item.language,
    began: `${since(item.created_at)} ago`,
    "time left": left(item),
    memory: `${item.memory_mib} MiB, ${item.vcpus} CPU`,
    "held by": heldBy(item.isolation),
    metadata: words(item.metadata),
  });
}

function gone(why) {
  tell("sandbox-told", why, "warn");
  processes.leave();
  terminal?.leave();
  at("sandbox-parts").hidden = true;
}

async function shell() {
  terminal ??= await import("/assets/terminal.js");
  await terminal.open(path(chosen), expiring);
}

async function attach(process) {
  terminal ??= await import("/assets/terminal.js");
  terminal.attach(path(chosen), process, expiring);
}

/** Says that its end is near; called by whatever follows it. */
export function expiring({ limit, seconds_left }) {
  const act = limit === "total" ? "give it more time" : "use it";
  tell("sandbox-told", `it ends in ${span(seconds_left)} (${limit} time): ${act} to keep it`, "warn");
}

/** Shows the view, and in it one sandbox or none. */
export function show(isVisible, id) {
  visible = isVisible;
  if (id !== chosen) {
    processes.leave();
    terminal?.leave();
    chosen = id;
    tell("sandbox-told", "");
    at("sandbox-facts").replaceChildren();
    at("sandbox").hidden = id === null;
    at("sandbox-parts").hidden = id === null;
    if (id !== null) {
      at("sandbox-id").textContent = id;
      processes.enter(path(id), { expiring, attach });
      files.enter(path(id));
      at("sandbox-title").focus();
    }
  }
  refresh();
}

/** Says so where the key may begin none. */
export function allow() {
  const why = lacking(["run"]);
  at("sandbox-begin").disabled = why !== "";
  tell("sandbox-needs", why, "warn");
}

async function create(event) {
  event.preventDefault();
  tell("sandboxes-told", "it begins …");
  try {
    const wanted = { language: at("sandbox-language").value, timeout: Number(at("sandbox-minutes").value) * 60 };
    const made = await send("POST", "/api/v1/sandboxes", wanted);
    tell("sandboxes-told", "");
    location.hash = `#sandboxes/${made.id}`;
  } catch (error) {
    tell("sandboxes-told", error.message, "bad");
  }
}

async function more() {
  try {
    const timeout = Math.max(MORE_SECONDS, own.get(chosen)?.timeout ?? 0);
    facts(await send("PATCH", path(chosen), { timeout }));
    tell("sandbox-told", `it has ${span(timeout)} from now on`, "good");
  } catch (error) {
    tell("sandbox-told", error.message, "bad");
  }
}

async function end() {
  try {
    await send("DELETE", path(chosen));
    gone("it ended");
    await refresh();
  } catch (error) {
    tell("sandbox-told", error.message, "bad");
  }
}

at("sandboxes-none").append(
  how(
    () =>
      [
        `curl -sS${curlKey()} ${location.origin}/api/v1/sandboxes --json '{"language": "python", "timeout": 1800}'`,
        `llm-firecracker sandbox create --url ${location.origin} --image python --timeout 1800`,
      ].join("\n"),
    "sandboxes-how",
  ),
);
at("sandbox-new").addEventListener("submit", create);
at("sandbox-actions").append(button("More time", more), surely("End it", end), button("Open a terminal", shell));
document.addEventListener("status", ({ detail }) => {
  observed = detail.sandboxes;
  observedAt = Date.now();
  refresh();
});
setInterval(refresh, REFRESH_MILLIS);
