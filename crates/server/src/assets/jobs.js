// The list of jobs: a key's own, and of all keys for an administrator.
import { ask } from "/assets/api.js";
import { at, badge, cell, element, how, megabytes, seconds, show, since, Table, tell } from "/assets/dom.js";
import * as job from "/assets/job.js";
import { curlKey, may } from "/assets/who.js";

const SHOWN = 200;
const STATUSES = ["running", "waiting", "ok", "error", "timeout", "oom", "killed", "rejected", "internal"];

let visible = false;

function cells(row) {
  const link = element("a", row.trace_id, "name");
  link.href = `#jobs/${row.id}`;
  const whose = row.key_name || row.key;
  return {
    job: cell(link),
    status: (now) => badge(now.status),
    started: (now) => `${since(now.started_at)} ago`,
    language: () => (row.session ? `${row.language} (session)` : row.language),
    took: (now) => seconds(now.total_seconds),
    path: (now) => now.path,
    memory: (now) => megabytes(now.memory_peak_mib),
    key: () => whose,
  };
}

const list = new Table("job-rows", cells);

export async function refresh() {
  if (!visible || document.hidden) return;
  job.refresh();
  try {
    const jobs = await ask(`/api/v1/jobs?limit=${SHOWN}`);
    const wanted = at("jobs-status").value;
    const shown = wanted ? jobs.filter(({ status }) => status === wanted) : jobs;
    list.show(shown, (row) => row.id);
    show("job-table", shown.length > 0);
    at("jobs-none").hidden = jobs.length > 0;
    tell("jobs-told", jobs.length > 0 && shown.length === 0 ? `none of the last ${jobs.length} is ${wanted}` : "", "muted");
    at("jobs-whose").textContent = may("admin") ? "of all keys" : "of this key";
  } catch (error) {
    tell("jobs-told", error.message, "bad");
  }
}

/** Shows the list, or one job. */
export function display(isVisible, id) {
  visible = isVisible;
  at("job-list").hidden = id !== null;
  job.choose(isVisible ? id : null);
  refresh();
}

at("jobs-status").append(...STATUSES.map((status) => element("option", status)));
at("jobs-status").addEventListener("change", refresh);
at("jobs-none").append(how(() => `curl -sS${curlKey()} ${location.origin}/api/v1/execute --json '{"language": "python", "code": "print(6 * 7)"}'`));
