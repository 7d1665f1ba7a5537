// What the service measured of the last hour or day, as charts.
import { ask } from "/assets/api.js";
import { Chart, isEmpty, STEPS } from "/assets/charts.js";
import { at, button, bytes, seconds, tell } from "/assets/dom.js";
import { holds } from "/assets/status.js";

/** Minutes of a range, its name, and how many steps of the service's one bar is. */
const RANGES = [
  { minutes: 60, title: "Hour", steps: 6 },
  { minutes: 1440, title: "Day", steps: 3 },
];
export const STATUSES = ["ok", "error", "timeout", "oom", "killed", "rejected", "internal"];
const MORE_LOOKS = 7;

let range = RANGES[0];
let visible = false;

const count = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1));

/** Each bar is the sum of some steps: `{name, look, values}` for each name that occurs. */
function sums(groups, names, { of, look }) {
  return names.map((name, at) => ({
    name,
    look: look(name, at),
    values: groups.map((points) => points.reduce((sum, point) => sum + (of(point)[name] ?? 0), 0)),
  }));
}

const named = (points, of) => [...new Set(points.flatMap((point) => Object.keys(of(point))))].sort();
const byNumber = (name, at) => `c-${at % MORE_LOOKS}`;

/** Of some steps the weighted middle of the medians, and the worst 95th percentile. */
function latency(groups, points) {
  const paths = [...new Set(points.flatMap((point) => point.latency.map(({ path }) => path)))].sort();
  const own = (group, path) => group.flatMap((point) => point.latency.filter((row) => row.path === path && row.count > 0));
  const p50 = (rows) => rows.reduce((sum, row) => sum + row.p50_seconds * row.count, 0) / rows.reduce((sum, row) => sum + row.count, 0);
  const p95 = (rows) => Math.max(...rows.map((row) => row.p95_seconds));
  const line = (path, at, [name, figure]) => ({
    name: `${path} ${name}`,
    look: `c-${at}`,
    dashed: name === "p95",
    values: groups.map((group) => (own(group, path).length > 0 ? figure(own(group, path)) : null)),
  });
  return paths.flatMap((path, at) => [["p50", p50], ["p95", p95]].map((figure) => line(path, at, figure)));
}

/** Of each group of steps the most; nothing before the service began. */
function most(groups, name, field, look) {
  const known = (group) => group.map((point) => point[field]).filter((value) => value !== undefined);
  return { name, look, values: groups.map((group) => (known(group).length > 0 ? Math.max(...known(group)) : null)) };
}

/** The whole range, also where the service is younger. */
function padded({ points, step_seconds: step }) {
  const missing = Math.max(0, Math.floor((range.minutes * 60) / step) - points.length);
  const at = (n) => points[0].at - (missing - n) * step;
  return [...Array.from({ length: missing }, (_, n) => ({ at: at(n), jobs: {}, latency: [], refusals: {} })), ...points];
}

const CHARTS = [
  {
    chart: new Chart("Jobs by how they ended", { kind: "bars", format: count, none: "no job ended in this time" }),
    series: (groups, points) => {
      const seen = named(points, (point) => point.jobs);
      const order = [...STATUSES.filter((name) => seen.includes(name)), ...seen.filter((name) => !STATUSES.includes(name))];
      return sums(groups, order, { of: (point) => point.jobs, look: (name) => `c-${name}` });
    },
  },
  { chart: new Chart("Latency by path", { kind: "lines", format: seconds, steps: STEPS.decimal, none: "no job ended in this time" }), series: latency },
  {
    chart: new Chart("Jobs at work and VMs kept ready", { kind: "lines", format: count, most: true, none: "none was at work when it was looked at" }),
    series: (groups) => [most(groups, "running", "running", "c-0"), most(groups, "ready in the pool", "pool_ready", "c-2")],
  },
  {
    chart: new Chart("Queue", { kind: "lines", format: count, most: true, none: "no job had to wait in this time" }),
    series: (groups) => [most(groups, "waiting", "queue", "c-1")],
  },
  {
    chart: new Chart("Memory held by VMs", { kind: "lines", format: bytes, steps: STEPS.binary, most: true, none: "no VM held memory in this time" }),
    series: (groups) => [most(groups, "held", "memory_held_bytes", "c-3")],
  },
  {
    chart: new Chart("Refusals by reason", { kind: "bars", format: count, none: "nothing was refused in this time" }),
    series: (groups, points) => sums(groups, named(points, (point) => point.refusals), { of: (point) => point.refusals, look: byNumber }),
  },
];

export async function refresh() {
  if (!visible || document.hidden) return;
  const asked = range;
  try {
    const history = await ask(`/api/v1/history?minutes=${asked.minutes}`);
    if (asked !== range || history.points.length === 0) return;
    const points = padded(history);
    const groups = [];
    // The last one is whole, so that a bar does not change what it is a sum of.
    for (let end = points.length; end > 0; end -= asked.steps) groups.unshift(points.slice(Math.max(0, end - asked.steps), end));
    const times = groups.map((group) => group[0].at);
    const all = CHARTS.map(({ series }) => series(groups, points));
    const compact = all.every(isEmpty);
    CHARTS.forEach(({ chart }, at) => chart.show(times, all[at], { compact }));
    holds(points.at(-1).memory_held_bytes);
    tell("overview-told", "");
  } catch (error) {
    tell("overview-told", error.message, "bad");
  }
}

export function show(isVisible) {
  visible = isVisible;
  refresh();
}

function choose(one) {
  range = one;
  for (const own of at("ranges").children) own.ariaPressed = String(own.textContent === one.title);
  refresh();
}

at("charts").append(...CHARTS.map(({ chart }) => chart.figure));
at("ranges").append(...RANGES.map((one) => button(one.title, () => choose(one))));
choose(range);
