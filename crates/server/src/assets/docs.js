// The page of the API: the reader's own address in the examples, one way to call at a time, and where one is.
import { key, useKey } from "/assets/api.js";
import "/assets/attempt.js";
import { at, button, copy, element } from "/assets/dom.js";
import "/assets/icon.js";

const FORMS = [["curl", "curl"], ["python", "Python"], ["javascript", "JavaScript"]];

for (const origin of document.querySelectorAll("var[data-of='origin']")) origin.textContent = location.origin;

// The way to call

function choose(form) {
  sessionStorage.setItem("form", form);
  document.documentElement.className = `chosen chosen-${form}`;
  for (const own of document.querySelectorAll(".chooser button")) own.ariaPressed = own.dataset.form === form;
}

/** Chosen where it is pressed, and that stays where it is though those above get shorter. */
function chosenAt(pressed) {
  const before = pressed.getBoundingClientRect().top;
  choose(pressed.dataset.form);
  scrollBy({ top: pressed.getBoundingClientRect().top - before, behavior: "instant" });
}

function chooser() {
  const made = element("div", null, "chooser");
  made.role = "group";
  made.ariaLabel = "Way to call";
  for (const [name, title] of FORMS) {
    const own = button(title, () => chosenAt(own));
    own.dataset.form = name;
    made.append(own);
  }
  return made;
}

for (const snippets of document.querySelectorAll(".snippets")) {
  const acts = element("div", null, "snippet-acts");
  const shown = () => [...snippets.querySelectorAll(".snippet")].find((one) => one.checkVisibility());
  const copies = button("Copy", () => shown() && copy(shown(), copies));
  acts.append(chooser(), copies);
  snippets.prepend(acts);
}
choose(sessionStorage.getItem("form") ?? "curl");

// The key

function told() {
  at("key-told").textContent = key() ? "kept in this tab" : "";
}

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(at("key").value);
  at("key").value = "";
  told();
});
told();

// The contents

const contents = document.querySelector(".contents details");
const narrow = matchMedia("(max-width: 55rem)");
const fold = () => (contents.open = !narrow.matches);
narrow.addEventListener("change", fold);
fold();

const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
let current = null;
const watch = new IntersectionObserver(
  (seen) => {
    const entry = seen.find((one) => one.isIntersecting);
    const link = entry && links.get(entry.target.id);
    if (!link || link === current) return;
    if (current) current.ariaCurrent = null;
    current = link;
    link.ariaCurrent = "true";
    if (!narrow.matches) link.scrollIntoView({ block: "nearest", behavior: "instant" });
  },
  { rootMargin: "-10% 0px -75% 0px" },
);
for (const section of document.querySelectorAll(".call")) watch.observe(section);
