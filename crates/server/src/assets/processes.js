// The processes of one sandbox, and what the chosen one writes.
import { ask, events, request, send } from "/assets/api.js";
import { at, button, cell, element, since, surely, Table, tell, tone } from "/assets/dom.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL", "SIGHUP", "SIGSTOP", "SIGCONT"];
/** Pieces of output that are on the page; the oldest go. */
const SHOWN_PIECES = 2000;
const SHOWN_BYTES = 400_000;

/** The sandbox's path, and who hears that it ends soon or shows a terminal. */
let base = null;
let others = null;
/** Ends what is being followed. */
let following = null;
let list = null;

export function enter(path, rest) {
  base = path;
  others = rest;
  at("process-rows").replaceChildren();
  list = new Table("process-rows", cells);
  at("process-output").replaceChildren();
  at("process-output-of").textContent = "";
  at("process-output-part").hidden = true;
  tell("processes-told", "");
}

export function leave() {
  following?.abort();
  following = null;
  base = null;
}

function state({ exit }) {
  if (!exit) return "runs";
  const how = exit.limit ? `${exit.limit.name}: ${exit.status}` : exit.signal ? `signal ${exit.signal}` : `exit ${exit.exit_code}`;
  return `ended, ${how}`;
}

function cells(process) {
  const signals = element("select");
  signals.append(...SIGNALS.map((name) => element("option", name)));
  signals.ariaLabel = `Signal to process ${process.id}`;
  const acts = [
    button("Output", () => follow(process)),
    signals,
    button("Send", () => act("POST", `/processes/${process.id}/signal`, { signal: signals.value })),
    surely("Forget", () => act("DELETE", `/processes/${process.id}`)),
  ];
  if (process.pty) acts.unshift(button("Terminal", () => others.attach(process)));
  return {
    id: () => process.id,
    pid: () => process.pid,
    program: () => process.argv.join(" "),
    state: (now) => state(now),
    started: () => `${since(process.started_at)} ago`,
    "": cell(...acts),
  };
}

async function act(method, below, body) {
  try {
    await send(method, `${base}${below}`, body);
    tell("processes-told", "");
    await refresh();
  } catch (error) {
    tell("processes-told", error.message, "bad");
  }
}

export async function refresh() {
  const asked = base;
  if (asked === null) return;
  const processes = await ask(`${asked}/processes`);
  if (asked !== base) return;
  list.show(processes, (process) => process.id);
  at("processes-none").hidden = processes.length > 0;
  at("process-table").hidden = processes.length === 0;
}

async function start(event) {
  event.preventDefault();
  try {
    const process = await send("POST", `${base}/processes`, { cmd: at("process-cmd").value });
    at("process-cmd").value = "";
    tell("processes-told", "");
    follow(process);
    await refresh();
  } catch (error) {
    tell("processes-told", error.message, "bad");
  }
}

/** Shows what a process writes, from what is kept of it to its end. */
async function follow(process) {
  following?.abort();
  const mine = (following = new AbortController());
  at("process-output").replaceChildren();
  at("process-output-part").hidden = false;
  tell("process-output-of", `of process ${process.id}: ${process.argv.join(" ")}`);
  const say = (text, className) => mine.signal.aborted || at("process-output").append(element("span", `\n${text}`, className));
  try {
    const answer = await request(`${base}/processes/${process.id}/output?from=0`, { headers: { accept: "text/event-stream" }, signal: mine.signal });
    for await (const { name, data } of events(answer)) {
      if (mine.signal.aborted) return;
      if (name === "output") show(data.data, data.stream);
      else if (name === "expiring") others.expiring(data);
      else if (name === "exit") say(state({ exit: data }), tone(data.status));
      else if (name === "error") say(data.detail, "bad");
    }
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, "bad");
  }
  if (!mine.signal.aborted) await refresh().catch(() => {});
}

function show(text, className) {
  const output = at("process-output");
  const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
  output.append(element("span", text, className));
  while (output.childNodes.length > SHOWN_PIECES || (output.childNodes.length > 1 && output.textContent.length > SHOWN_BYTES)) output.firstChild.remove();
  if (atEnd) output.scrollTop = output.scrollHeight;
}

at("process-new").addEventListener("submit", start);
