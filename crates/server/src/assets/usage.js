// What was used: by each key for an administrator, else the key's own.
import { ask } from "/assets/api.js";
import { Chart } from "/assets/charts.js";
import { at, bytes, element, how, show as shows, span, Table, tell } from "/assets/dom.js";
import { STATUSES } from "/assets/history.js";
import { curlKey, may } from "/assets/who.js";

const DAY_MILLIS = 86_400_000;

let visible = false;

const sum = (counts) => Object.values(counts).reduce((all, count) => all + count, 0);
const short = (value) => (value === 0 ? "0 s" : value < 1 ? `${(value * 1000).toFixed(0)} ms` : value < 60 ? `${value.toFixed(1)} s` : span(value));
const memory = (gib_seconds) => (gib_seconds < 3600 ? `${Number(gib_seconds.toFixed(1))} GiB s` : `${(gib_seconds / 3600).toFixed(1)} GiB h`);

/** The name, and the id for two keys may have the same. */
function named({ key, key_name }) {
  const both = element("span", key_name || key);
  if (may("admin") && key_name && key !== key_name) both.append(" ", element("small", key));
  return both;
}

const list = new Table("usage-rows", () => ({
  key: (row) => named(row),
  jobs: ({ total }) => sum(total.jobs),
  "not ok": ({ total }) => sum(total.jobs) - (total.jobs.ok ?? 0),
  refused: ({ total }) => sum(total.refusals),
  time: ({ total }) => short(total.wall_seconds),
  CPU: ({ total }) => short(total.cpu_seconds),
  memory: ({ total }) => memory(total.memory_gib_seconds),
  output: ({ total }) => bytes(total.output_bytes),
  "sandboxes, sessions": ({ total }) => (total.sandboxes ? `${total.sandboxes}, ${short(total.sandbox_seconds)}` : "0"),
}));

const chart = new Chart("Jobs a day", {
  kind: "bars",
  format: String,
  none: "no job ended in this time",
  label: (at) => new Date(at * 1000).toISOString().slice(5, 10),
});

/** Every day from the first to today, also those on which nothing ran. */
function calendar(since) {
  const all = [];
  for (let at = Date.parse(since.slice(0, 10)); at <= Date.now(); at += DAY_MILLIS) all.push(new Date(at).toISOString().slice(0, 10));
  return all;
}

function days({ since, keys }) {
  const all = calendar(since);
  const by = new Map(all.map((day) => [day, {}]));
  for (const { day, used } of keys.flatMap(({ days }) => days)) {
    const sums = by.get(day) ?? {};
    for (const [status, count] of Object.entries(used.jobs)) sums[status] = (sums[status] ?? 0) + count;
  }
  const seen = STATUSES.filter((status) => all.some((day) => by.get(day)[status]));
  const series = seen.map((status) => ({ name: status, look: `c-${status}`, values: all.map((day) => by.get(day)[status] ?? 0) }));
  chart.show(all.map((day) => Date.parse(day) / 1000), series);
}

export async function refresh() {
  if (!visible || document.hidden) return;
  try {
    const usage = await ask(`/api/v1/usage?since=${at("usage-since").value}`);
    const used = usage.keys.filter(({ total }) => sum(total.jobs) + sum(total.refusals) + total.sandboxes > 0);
    list.show(used, (row) => row.key);
    shows("usage-table", used.length > 0, "usage-none");
    at("usage-chart").hidden = used.length === 0;
    days(usage);
    at("usage-whose").textContent = may("admin") ? "by key" : "of this key";
    tell("usage-told", "");
  } catch (error) {
    tell("usage-told", error.message, "bad");
  }
}

export function show(isVisible) {
  visible = isVisible;
  refresh();
}

at("usage-chart").append(chart.figure);
at("usage-since").addEventListener("change", refresh);
at("usage-none").append(how(() => `curl -sS${curlKey()} '${location.origin}/api/v1/usage?since=7d'`));
