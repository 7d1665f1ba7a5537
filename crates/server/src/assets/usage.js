// What was used: by each key for an administrator, else the key's own.
import { ask } from "/assets/api.js";
import { Chart } from "/assets/charts.js";
import { at, bytes, how, show as shows, span, Table, tell } from "/assets/dom.js";
import { STATUSES } from "/assets/history.js";
import { may } from "/assets/who.js";

let visible = false;

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);
const short = (value) => (value < 1 ? `${(value * 1000).toFixed(0)} ms` : value < 60 ? `${value.toFixed(1)} s` : span(value));
const memory = (gib_seconds) => (gib_seconds < 3600 ? `${gib_seconds.toFixed(1)} GiB s` : `${(gib_seconds / 3600).toFixed(1)} GiB h`);

const list = new Table("usage-rows", () => ({
  key: (row) => row.key_name || row.key,
  jobs: (row) => total(row.jobs),
  "not ok": (row) => total(row.jobs) - (row.jobs.ok ?? 0),
  refused: (row) => total(row.refusals),
  time: (row) => short(row.wall_seconds),
  CPU: (row) => short(row.cpu_seconds),
  memory: (row) => memory(row.memory_gib_seconds),
  output: (row) => bytes(row.output_bytes),
  sandboxes: (row) => (row.sandboxes ? `${row.sandboxes}, ${short(row.sandbox_seconds)}` : "0"),
}));

const chart = new Chart("Jobs a day", {
  kind: "bars",
  format: String,
  none: "no job ended in this time",
  label: (at) => new Date(at * 1000).toISOString().slice(5, 10),
});

function days(keys) {
  const by = new Map();
  for (const { days } of keys) {
    for (const { day, jobs } of days) {
      const sums = by.get(day) ?? {};
      for (const [status, count] of Object.entries(jobs)) sums[status] = (sums[status] ?? 0) + count;
      by.set(day, sums);
    }
  }
  const all = [...by].sort(([a], [b]) => (a < b ? -1 : 1));
  const seen = STATUSES.filter((status) => all.some(([, jobs]) => jobs[status]));
  const series = seen.map((status) => ({ name: status, look: `c-${status}`, values: all.map(([, jobs]) => jobs[status] ?? 0) }));
  chart.show(all.map(([day]) => Date.parse(`${day}T00:00:00Z`) / 1000), series);
}

export async function refresh() {
  if (!visible || document.hidden) return;
  try {
    const { keys } = await ask(`/api/v1/usage?since=${at("usage-since").value}`);
    const used = keys.filter((row) => total(row.jobs) + total(row.refusals) + row.sandboxes > 0);
    list.show(used, (row) => row.key);
    shows("usage-table", used.length > 0, "usage-none");
    at("usage-chart").hidden = used.length === 0;
    days(used);
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
at("usage-none").append(how(`curl -sS ${location.origin}/api/v1/usage?since=7d`));
