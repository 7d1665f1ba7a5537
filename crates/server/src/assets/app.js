// The dashboard: which view is shown, and the key that it uses.
import { ask, useKey } from "/assets/api.js";
import { at, element, tell } from "/assets/dom.js";
import { refresh, watch } from "/assets/now.js";
import { EXAMPLES, example } from "/assets/run.js";
import * as sandboxes from "/assets/sandboxes.js";

const REFRESH_MILLIS = 5000;

/** `#sandboxes` and `#sandboxes/ID`; everything else is where programs are run. */
function route() {
  const [view, id] = location.hash.slice(1).split("/");
  const inSandboxes = view === "sandboxes";
  at("sandboxes").hidden = !inSandboxes;
  at("programs").hidden = inSandboxes;
  for (const link of document.querySelectorAll("nav a[href^='#']")) {
    const current = link.hash === (inSandboxes ? "#sandboxes" : "#programs");
    link.ariaCurrent = current ? "page" : null;
  }
  sandboxes.show(inSandboxes, inSandboxes && id ? id : null);
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

function begin() {
  languages();
  refresh();
  watch();
  route();
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(at("key").value);
  at("key").value = "";
  begin();
});
addEventListener("hashchange", route);
begin();
setInterval(refresh, REFRESH_MILLIS);
