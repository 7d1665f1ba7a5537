// One job: how it ended, what it wrote and left, its limits and events.
import { ask } from "/assets/api.js";
import { kept } from "/assets/artifacts.js";
import { at, badge, clock, element, facts, heldBy, megabytes, seconds, tell } from "/assets/dom.js";
import { eventRow } from "/assets/events.js";

let chosen = null;
/** It ended, so what is shown stays. */
let isOver = false;

export function choose(id) {
  if (id === chosen) return;
  chosen = id;
  isOver = false;
  at("job").hidden = id === null;
  at("job-parts").hidden = true;
  if (id === null) return;
  at("job-id").textContent = id;
  at("job-status").textContent = "";
  tell("job-told", "");
  at("job-title").focus();
}

export async function refresh() {
  const asked = chosen;
  if (asked === null || isOver) return;
  try {
    const detail = await ask(`/api/v1/jobs/${encodeURIComponent(asked)}`);
    if (asked !== chosen) return;
    isOver = !["running", "waiting"].includes(detail.job.status);
    shown(detail);
  } catch (error) {
    if (asked !== chosen) return;
    at("job-parts").hidden = true;
    isOver = error.status === 404;
    tell("job-told", error.message, "bad");
  }
}

function shown({ job, result, artifacts, events }) {
  at("job-id").textContent = job.trace_id;
  const own = badge(job.status);
  at("job-status").textContent = own.textContent;
  at("job-status").className = own.className;
  tell("job-told", told(job, result), job.kept || !isOver ? "" : "warn");
  facts("job-facts", {
    started: `${clock(job.started_at)} · ${job.started_at.slice(0, 10)}`,
    language: job.image && job.image !== job.language ? `${job.language}, image ${job.image}` : job.language,
    session: job.session,
    key: job.key_name || job.key,
    "held by": held(job, result),
    "exit code": job.exit_code,
    signal: job.signal,
    limit: result?.limit ? `${result.limit.name}: ${result.error ?? result.limit.detail ?? ""}` : job.limit,
    failure: job.code,
    CPU: seconds(job.cpu_seconds),
    memory: job.memory_peak_mib === null ? null : `${megabytes(job.memory_peak_mib)} at most`,
  });
  at("job-timings").replaceChildren(...timings(job, result));
  at("job-result").replaceChildren(...outputs(result));
  at("job-artifacts").replaceChildren(...(artifacts.length ? [element("h3", "Files"), ...artifacts.map(kept)] : []));
  at("job-events-part").hidden = events.length === 0;
  at("job-events").replaceChildren(...events.map((event) => eventRow(event, { withJob: false })));
  at("job-parts").hidden = false;
}

function told(job, result) {
  if (!isOver) return "it is not over yet";
  if (!result) return "what it wrote is kept no longer: [server.kept_jobs] of the configuration says how much is, and how long";
  return result.error ?? "";
}

function held(job, result) {
  return heldBy({ engine: job.engine, ...result?.isolation }) || null;
}

/** A bar of the parts of its time. */
function timings(job, result) {
  const compile = result?.timings.compile ?? 0;
  const parts = [["queue", job.queue_seconds, "c-killed"], ["VM", job.boot_seconds, "c-0"], ["compile", compile, "c-3"], ["program", job.execute_seconds, "c-ok"]];
  const measured = parts.reduce((all, [, value]) => all + (value ?? 0), 0);
  const rest = (job.total_seconds ?? 0) - measured;
  // Less would be written as 0 ms.
  const known = [...parts, ["rest: files in and out, between these", rest >= 0.0005 ? rest : 0, "c-4"]].filter(([, value]) => value > 0);
  if (known.length === 0) return [];
  const sum = known.reduce((all, [, value]) => all + value, 0);
  const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  bar.setAttribute("class", "parts");
  bar.setAttribute("viewBox", "0 0 100 1");
  bar.setAttribute("preserveAspectRatio", "none");
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", known.map(([name, value]) => `${name} ${seconds(value)}`).join(", "));
  const legend = element("ul", null, "legend");
  let from = 0;
  for (const [name, value, look] of known) {
    const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const wide = (100 * value) / sum;
    for (const [key, own] of Object.entries({ class: `bar ${look}`, x: from, y: 0, width: wide, height: 1 })) part.setAttribute(key, own);
    bar.append(part);
    from += wide;
    const item = element("li");
    item.append(element("i", null, look), name, element("b", seconds(value)));
    legend.append(item);
  }
  const by = job.path ? `, VM by ${job.path}` : "";
  return [element("h3", `${seconds(job.total_seconds ?? sum)} in all${by}`), bar, legend];
}

function outputs(result) {
  if (!result) return [];
  const made = [];
  for (const [name, title] of [["stdout", "Output"], ["stderr", "Standard error"]]) {
    if (result[name] === "" && name === "stderr") continue;
    const pre = element("pre", result[name] || "(nothing)", name);
    pre.tabIndex = 0;
    pre.ariaLabel = title;
    made.push(element("h3", result[`${name}_truncated`] ? `${title} (cut at its limit)` : title), pre);
  }
  const whole = element("details");
  const json = element("pre", JSON.stringify(result, null, 2));
  json.tabIndex = 0;
  whole.append(element("summary", "The whole result"), json);
  for (const note of result.notes) made.push(element("p", note, "muted"));
  return [...made, whole];
}
