// The dashboard: which view is shown, and the key that it uses.
import { ask, key, useKey } from "/assets/api.js";
import { at, element, rewrite, tell } from "/assets/dom.js";
import "/assets/doctor.js";
import * as events from "/assets/events.js";
import * as history from "/assets/history.js";
import "/assets/icon.js";
import * as jobs from "/assets/jobs.js";
import { allow, EXAMPLES, example } from "/assets/run.js";
import * as sandboxes from "/assets/sandboxes.js";
import * as status from "/assets/status.js";
import * as usage from "/assets/usage.js";
import { lacking, learn, may, who } from "/assets/who.js";

const REFRESH_MILLIS = 5000;
/** Events come in flocks. */
const SOON_MILLIS = 150;

/**
 * `#NAME` or `#NAME/ID`; the first where there is no such view. `needs`: scopes of which one is asked for; without it a
 * sentence is shown in place of the view.
 */
const VIEWS = [
  { name: "programs", title: "Run", show: () => {}, needs: [] },
  { name: "jobs", title: "Jobs", show: jobs.display, needs: ["run", "admin"] },
  { name: "sandboxes", title: "Sandboxes", show: sandboxes.show, needs: [] },
  { name: "overview", title: "Overview", show: history.show, needs: ["observe", "admin"] },
  { name: "usage", title: "Usage", show: usage.show, needs: ["run", "admin"] },
];

function route() {
  const [name, id] = location.hash.slice(1).split("/");
  // Until it is known who asks, nothing is asked for and nothing is said.
  const isKnown = who().id !== null;
  const chosen = VIEWS.find((view) => view.name === name) ?? VIEWS[0];
  const why = lacking(chosen.needs);
  at("lacking").hidden = why === "";
  at("lacking-title").textContent = chosen.title;
  tell("lacking-told", why, "warn");
  for (const view of VIEWS) {
    at(view.name).hidden = view !== chosen || why !== "";
    const link = document.querySelector(`nav a[href="#${view.name}"]`);
    link.ariaCurrent = view === chosen ? "page" : null;
    if (view !== chosen || why !== "" || !isKnown) view.show(false, null);
  }
  document.title = `${chosen.title} · LLM-Firecracker`;
  if (isKnown && why === "") chosen.show(true, id ? decodeURIComponent(id) : null);
}

function options(list) {
  return list.map((language) => {
    const option = element("option", language.available ? language.runtime : `${language.runtime} (no image)`);
    option.value = language.name;
    return option;
  });
}

// The one that the page's examples begin with, where the service has it.
function first(list) {
  const names = list.map((row) => row.name);
  return Object.keys(EXAMPLES).find((name) => names.includes(name)) ?? names[0];
}

async function languages() {
  try {
    const list = await ask("/api/v1/languages");
    for (const id of ["language", "sandbox-language"]) {
      const chosen = at(id).value || first(list);
      at(id).replaceChildren(...options(list));
      at(id).value = chosen;
    }
    example();
  } catch (error) {
    tell("ending", error.message, "bad");
  }
}

function refresh() {
  if (who().id === null) return;
  status.refresh();
  for (const view of [jobs, history, usage]) view.refresh();
}

let soon = 0;
function refreshSoon() {
  clearTimeout(soon);
  soon = setTimeout(refresh, SOON_MILLIS);
}

async function begin() {
  events.leave();
  for (const view of VIEWS) view.show(false, null);
  status.forget();
  at("key-forget").hidden = key() === "";
  tell("held", "…", "muted");
  await learn();
  route();
  const isKnown = who().id !== null;
  for (const { name, needs } of VIEWS) document.querySelector(`nav a[href="#${name}"]`).hidden = isKnown && lacking(needs) !== "";
  if (!isKnown) return tell("held", "");
  rewrite();
  allow();
  sandboxes.allow();
  for (const part of ["events-part", "doctor-part"]) at(part).hidden = !may("admin");
  languages();
  if (may("admin")) events.watch(refreshSoon);
  refresh();
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(at("key").value);
  at("key").value = "";
  begin();
});
at("key-forget").addEventListener("click", () => {
  useKey("");
  begin();
});
// A key that was known may be removed while a page uses it.
document.addEventListener("unauthorized", () => who().id !== null && begin());
at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.querySelector("main:not([hidden])").focus();
});
addEventListener("hashchange", route);
route();
begin();
setInterval(refresh, REFRESH_MILLIS);
