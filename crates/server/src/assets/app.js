// The dashboard: which view is shown, and the key that it uses.
import { ask, useKey } from "/assets/api.js";
import { at, element, tell } from "/assets/dom.js";
import "/assets/doctor.js";
import * as events from "/assets/events.js";
import * as history from "/assets/history.js";
import "/assets/icon.js";
import * as jobs from "/assets/jobs.js";
import { EXAMPLES, example } from "/assets/run.js";
import * as sandboxes from "/assets/sandboxes.js";
import * as status from "/assets/status.js";
import * as usage from "/assets/usage.js";
import { learn, may, who } from "/assets/who.js";

const REFRESH_MILLIS = 5000;
/** Events come in flocks. */
const SOON_MILLIS = 150;

/** `#NAME` or `#NAME/ID`; the first where there is no such view. `needs`: scopes of which one is asked for. */
const VIEWS = [
  { name: "programs", title: "Run", show: () => {} },
  { name: "jobs", title: "Jobs", show: jobs.display, needs: ["run", "admin"] },
  { name: "sandboxes", title: "Sandboxes", show: sandboxes.show },
  { name: "overview", title: "Overview", show: history.show, needs: ["observe", "admin"] },
  { name: "usage", title: "Usage", show: usage.show, needs: ["run", "admin"] },
];

function route() {
  const [name, id] = location.hash.slice(1).split("/");
  const chosen = VIEWS.find((view) => view.name === name) ?? VIEWS[0];
  for (const view of VIEWS) {
    at(view.name).hidden = view !== chosen;
    const link = document.querySelector(`nav a[href="#${view.name}"]`);
    link.ariaCurrent = view === chosen ? "page" : null;
    if (view !== chosen) view.show(false, null);
  }
  document.title = `${chosen.title} · LLM-Firecracker`;
  chosen.show(true, id ? decodeURIComponent(id) : null);
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
  try {
    await learn();
    tell("ending", "");
  } catch (error) {
    tell("held", error.message, "bad");
  }
  for (const { name, needs } of VIEWS) {
    const isShown = !needs || who().id === null || needs.some(may);
    document.querySelector(`nav a[href="#${name}"]`).hidden = !isShown;
  }
  for (const part of ["events-part", "doctor-part"]) at(part).hidden = !may("admin");
  languages();
  if (may("admin")) events.watch(refreshSoon);
  refresh();
  route();
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(at("key").value);
  at("key").value = "";
  begin();
});
at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.querySelector("main:not([hidden])").focus();
});
addEventListener("hashchange", route);
route();
begin();
setInterval(refresh, REFRESH_MILLIS);
