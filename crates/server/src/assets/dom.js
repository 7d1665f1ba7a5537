// Making elements. Whatever a job or a client wrote is put on the page as text, never as HTML.

/** How long a button asks whether that was meant. */
const SURE_MILLIS = 4000;
const COPIED_MILLIS = 2000;

export const at = (id) => document.getElementById(id);

export function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = String(text);
  if (className) made.className = className;
  return made;
}

export function button(text, act) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** A button that does something only when it is pressed twice. */
export function surely(text, act) {
  let until = 0;
  const made = button(text, () => {
    const sure = Date.now() < until;
    until = sure ? 0 : Date.now() + SURE_MILLIS;
    made.textContent = sure ? text : `${text}: sure?`;
    if (sure) act();
    else setTimeout(() => (made.textContent = text), SURE_MILLIS);
  });
  return made;
}

export function row(cells) {
  const tr = element("tr");
  tr.append(...cells.map((cell) => (cell instanceof Node ? cell : element("td", cell ?? "–"))));
  return tr;
}

/** A row whose cells say, on narrow screens, what they are. */
export function labelled(cells) {
  const made = row(Object.values(cells).map((one) => (one instanceof HTMLTableCellElement ? one : cell(one ?? "–"))));
  Object.keys(cells).forEach((label, at) => (made.cells[at].dataset.label = label));
  return made;
}

/** A cell; several things in it stay together where a narrow screen puts its name before it. */
export function cell(...content) {
  const td = element("td");
  const together = content.length > 1 ? element("div", null, "together") : td;
  together.append(...content);
  if (together !== td) td.append(together);
  return td;
}

/** Shows a list so that what stays keeps its elements, and with them focus and choices. */
export class Table {
  /** `make` gives an item's cells, by their columns' names; those that are functions give the cell's text. */
  constructor(id, make) {
    this.body = at(id);
    this.make = make;
    this.rows = new Map();
  }

  show(items, name) {
    const shown = new Set(items.map(name));
    for (const [own, { tr }] of this.rows) {
      if (shown.has(own)) continue;
      tr.remove();
      this.rows.delete(own);
    }
    let before = null;
    for (const item of items) {
      const known = this.rows.get(name(item)) ?? this.#add(name(item), item);
      // What is in its place is not moved, for it would lose the focus.
      const place = before ? before.nextSibling : this.body.firstChild;
      if (place !== known.tr) this.body.insertBefore(known.tr, place);
      before = known.tr;
      for (const [td, text] of known.texts) {
        const now = text(item) ?? "–";
        const written = now instanceof Node ? now.textContent : String(now);
        if (td.textContent !== written) td.replaceChildren(now instanceof Node ? now : written);
      }
    }
  }

  #add(name, item) {
    const known = { tr: element("tr"), texts: [] };
    for (const [label, content] of Object.entries(this.make(item))) {
      const td = content instanceof Node ? content : element("td");
      // On narrow screens it stands before the cell.
      td.dataset.label = label;
      if (typeof content === "function") known.texts.push([td, content]);
      known.tr.append(td);
    }
    this.rows.set(name, known);
    return known;
  }
}

/** Shows an element or not, and where it is not, another in its place. */
export function show(id, isShown, instead) {
  at(id).hidden = !isShown;
  if (instead) at(instead).hidden = isShown;
}

/** Names and values; those without a value are left out. */
export function facts(id, all) {
  const known = Object.entries(all).filter(([, value]) => value !== null && value !== undefined && value !== "");
  at(id).replaceChildren(...known.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

/** What is written anew for another key. */
const written = [];

export function rewrite() {
  for (const [pre, text] of written) pre.textContent = text();
}

/** Something to type into a shell or a file, with a button that copies it. A function's text depends on the key. */
export function how(text, id) {
  const made = element("div", null, "how");
  const pre = element("pre", typeof text === "function" ? text() : text);
  if (typeof text === "function") written.push([pre, text]);
  if (id) pre.id = id;
  pre.tabIndex = 0;
  const copies = button("Copy", () => copy(pre, copies));
  made.append(pre, copies);
  return made;
}

export async function copy(shown, told) {
  try {
    await navigator.clipboard.writeText(shown.textContent);
    told.textContent = "Copied";
  } catch {
    // Where a page may not, the text is marked for the reader's own keys.
    getSelection().selectAllChildren(shown);
    told.textContent = "Marked";
  }
  setTimeout(() => (told.textContent = "Copy"), COPIED_MILLIS);
}

/** Says one thing in a line that is read aloud. */
export function tell(id, text, className = "") {
  at(id).textContent = text;
  at(id).className = className;
}

export const seconds = (value) => (typeof value === "number" ? (value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`) : "–");
export const tone = (status) => ({ ok: "good", running: "", waiting: "", pass: "good", warn: "warn", unknown: "warn" })[status] ?? "bad";

export const badge = (status) => element("span", status, `badge ${tone(status)}`);
export const megabytes = (mib) => (typeof mib === "number" ? `${mib.toFixed(mib < 10 ? 1 : 0)} MiB` : null);
export const clock = (time) => new Date(time).toLocaleTimeString([], { hourCycle: "h23" });

/** A time for people: its two largest parts. */
export function span(value) {
  const whole = Math.max(0, Math.round(value));
  const parts = [[Math.floor(whole / 3600), "h"], [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"]];
  const first = parts.findIndex(([count]) => count > 0);
  return first < 0 ? "0 s" : parts.slice(first, first + 2).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** What held a program, in one line. */
export const heldBy = ({ engine, accelerator, jail, guest }) =>
  [engine, accelerator === "none" ? null : accelerator, jail, guest && `guest: ${guest}`].filter(Boolean).join(" · ");

export const since = (time) => span((Date.now() - Date.parse(time)) / 1000);

export function bytes(count) {
  const unit = ["bytes", "KiB", "MiB", "GiB"].findLastIndex((_, power) => count >= 1024 ** power || power === 0);
  return unit === 0 ? `${count} bytes` : `${Number((count / 1024 ** unit).toFixed(1))} ${["bytes", "KiB", "MiB", "GiB"][unit]}`;
}
