// Making elements. Whatever a job or a client wrote is put on the page as text, never as HTML.

/** How long a button asks whether that was meant. */
const SURE_MILLIS = 4000;

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

export function rows(id, list) {
  at(id).replaceChildren(...list.map((cells) => row(cells)));
}

export function row(cells) {
  const tr = element("tr");
  tr.append(...cells.map((cell) => (cell instanceof Node ? cell : element("td", cell ?? "–"))));
  return tr;
}

export function cell(...content) {
  const td = element("td");
  td.append(...content);
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
    for (const item of items) {
      const known = this.rows.get(name(item)) ?? this.#add(name(item), item);
      for (const [td, text] of known.texts) {
        const now = String(text(item) ?? "–");
        if (td.textContent !== now) td.textContent = now;
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
    this.body.append(known.tr);
    this.rows.set(name, known);
    return known;
  }
}

/** Says one thing in a line that is read aloud. */
export function tell(id, text, className = "") {
  at(id).textContent = text;
  at(id).className = className;
}

export const seconds = (value) => (typeof value === "number" ? (value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`) : "–");
export const tone = (status) => ({ ok: "good", running: "", pass: "good", warn: "warn", unknown: "warn" })[status] ?? "bad";

/** A time for people: its two largest parts. */
export function span(value) {
  const whole = Math.max(0, Math.round(value));
  const parts = [[Math.floor(whole / 3600), "h"], [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"]];
  const first = parts.findIndex(([count]) => count > 0);
  return first < 0 ? "0 s" : parts.slice(first, first + 2).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

export const since = (time) => span((Date.now() - Date.parse(time)) / 1000);

export function bytes(count) {
  const unit = ["bytes", "KiB", "MiB", "GiB"].findLastIndex((_, power) => count >= 1024 ** power || power === 0);
  return unit === 0 ? `${count} bytes` : `${(count / 1024 ** unit).toFixed(1)} ${["bytes", "KiB", "MiB", "GiB"][unit]}`;
}
