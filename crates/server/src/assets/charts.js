// Charts: bars that stand on each other, and lines, over time. Drawn as SVG with classes alone, for the page's policy
// lets no style attribute be.
import { element } from "/assets/dom.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 160;
/** Of a chart that has nothing to show, among others that have nothing either. */
const COMPACT_HEIGHT = 76;
const WIDEST_BAR = 28;
const MARGIN = { top: 8, right: 8, bottom: 20, left: 56 };
/** Room that a label of the time axis takes, in pixels. */
const LABEL_WIDTH = 70;

function drawn(name, attributes, text) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The next round number: 1, 2 or 5 times a power of ten. */
function decimal(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((digit) => digit * power >= value * 0.999) ?? 10);
}

/** What the steps of an axis are: `whole` for what is counted, `binary` for bytes. */
export const STEPS = {
  decimal,
  whole: (value) => Math.max(1, decimal(value)),
  binary: (value) => 2 ** Math.ceil(Math.log2(value)),
};

/** Between two labels of a clock, in seconds. */
const CLOCK_STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400];

const clock = (at, options) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...options });

export const isEmpty = (series) => series.every(({ values }) => values.every((value) => !value));

/**
 * One chart. `series` of what is shown: `{name, look, values}`, a value a time, `null` where there is none; `look` is a
 * colour's class. `format` writes a value with its unit, `kind` is `bars` or `lines`, `steps` one of `STEPS`; `most`: the
 * legend tells the most of all times, not the last.
 */
export class Chart {
  constructor(title, { kind, format, none, steps = STEPS.whole, label = clock, most = false }) {
    Object.assign(this, { title, kind, format, none, steps, label, most });
    this.figure = element("figure", null, "chart");
    this.when = element("small");
    const caption = element("figcaption");
    caption.append(element("span", title), this.when);
    this.svg = drawn("svg", { role: "img", tabindex: 0 });
    this.legend = element("ul", null, "legend");
    this.figure.append(caption, this.svg, this.legend);
    this.times = [];
    this.series = [];
    /** Which time is looked at; `null`: the last. */
    this.looked = null;
    new ResizeObserver(() => this.draw()).observe(this.svg);
    this.svg.addEventListener("pointermove", (event) => this.#look(this.#nearest(event)));
    this.svg.addEventListener("pointerleave", () => this.#look(null));
    this.svg.addEventListener("blur", () => this.#look(null));
    this.svg.addEventListener("keydown", (event) => this.#key(event));
  }

  show(times, series, { compact = false } = {}) {
    this.times = times;
    this.series = series;
    this.compact = compact;
    this.draw();
  }

  get #isEmpty() {
    return isEmpty(this.series);
  }

  get #summed() {
    return this.kind === "bars";
  }

  draw() {
    const width = this.svg.clientWidth;
    if (width === 0) return;
    this.width = width;
    this.height = this.compact ? COMPACT_HEIGHT : HEIGHT;
    this.svg.setAttribute("height", this.height);
    this.inner = width - MARGIN.left - MARGIN.right;
    this.top = this.#top();
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.replaceChildren(...this.#axes());
    if (this.#isEmpty) this.svg.append(drawn("text", { class: "none", x: MARGIN.left + this.inner / 2, y: this.height / 2 - 2 }, this.none));
    else this.svg.append(...(this.#summed ? this.#bars() : this.series.flatMap((one) => this.#line(one))));
    this.#look(this.looked);
    this.svg.setAttribute("aria-label", this.#told());
  }

  #top() {
    const sums = this.times.map((_, at) => this.series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
    const single = this.series.flatMap(({ values }) => values.map((value) => value ?? 0));
    const most = Math.max(0, ...(this.#summed ? sums : single));
    this.step = most === 0 ? 1 : this.steps(most / 4);
    return this.step * Math.max(1, Math.ceil(most / this.step - 0.001));
  }

  #x(at) {
    const places = this.#summed ? this.times.length : Math.max(1, this.times.length - 1);
    return MARGIN.left + ((at + (this.#summed ? 0.5 : 0)) * this.inner) / places;
  }

  #y(value) {
    return MARGIN.top + (1 - value / this.top) * (this.height - MARGIN.top - MARGIN.bottom);
  }

  #axes() {
    const made = [];
    for (let value = 0; value <= this.top * 1.001; value += this.step) {
      const y = this.#y(value);
      made.push(drawn("line", { class: "grid", x1: MARGIN.left, x2: this.width - MARGIN.right, y1: y, y2: y }));
      if (!this.#isEmpty) made.push(drawn("text", { class: "y", x: MARGIN.left - 6, y: y + 4 }, this.format(value)));
    }
    for (const [x, text] of this.#ticks()) made.push(drawn("text", { class: "x", x, y: this.height - 5 }, text));
    return made;
  }

  /** Labels of the times: of a clock at round ones, else of every so many. */
  #ticks() {
    const labels = Math.max(2, Math.floor(this.inner / LABEL_WIDTH));
    const last = this.times.length - 1;
    if (this.label !== clock || last < 1) {
      const every = Math.max(1, Math.ceil(this.times.length / labels));
      return this.times.map((time, at) => [this.#x(at), this.label(time)]).filter((_, at) => at % every === Math.floor(every / 2));
    }
    const step = this.times[last] - this.times[last - 1];
    const long = step * this.times.length;
    const every = CLOCK_STEPS.find((seconds) => long / seconds <= labels) ?? long;
    const zone = new Date().getTimezoneOffset() * 60;
    const made = [];
    for (let time = Math.ceil((this.times[0] - zone) / every) * every + zone; time <= this.times[last]; time += every) {
      // A bar stands in the middle of its time.
      const x = this.#x(last - (this.times[last] - time) / step - (this.#summed ? 0.5 : 0));
      if (x >= MARGIN.left && x <= this.width - LABEL_WIDTH / 4) made.push([x, this.label(time)]);
    }
    return made;
  }

  #bars() {
    const width = Math.min(WIDEST_BAR, Math.max(1, this.inner / this.times.length - 1));
    const floor = this.times.map(() => 0);
    const made = [];
    for (const { look, values } of this.series) {
      values.forEach((value, at) => {
        if (!value) return;
        const y = this.#y(floor[at] + value);
        made.push(drawn("rect", { class: `bar ${look}`, x: this.#x(at) - width / 2, y, width, height: this.#y(floor[at]) - y }));
        floor[at] += value;
      });
    }
    return made;
  }

  /** A line has gaps where there is no value; a value between two gaps is a dot. */
  #line({ look, values, dashed }) {
    const runs = [];
    values.forEach((value, at) => {
      if (value === null || value === undefined) return;
      if (at === 0 || (values[at - 1] ?? null) === null) runs.push([]);
      runs.at(-1).push([this.#x(at), this.#y(value)]);
    });
    const path = (run) => run.map(([x, y], at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    const floor = this.#y(0);
    return runs.flatMap((run) => {
      if (run.length === 1) return [drawn("circle", { class: `dot ${look}${dashed ? " ring" : ""}`, cx: run[0][0], cy: run[0][1], r: dashed ? 4.5 : 2.5 })];
      const line = drawn("path", { class: `line ${look}${dashed ? " dashed" : ""}`, d: path(run) });
      if (this.series.length > 1) return [line];
      const area = drawn("path", { class: `area ${look}`, d: `${path(run)}L${run.at(-1)[0]} ${floor}L${run[0][0]} ${floor}Z` });
      return [area, line];
    });
  }

  #nearest(event) {
    const { left } = this.svg.getBoundingClientRect();
    const part = (event.clientX - left - MARGIN.left) / this.inner;
    const at = this.#summed ? Math.floor(part * this.times.length) : Math.round(part * (this.times.length - 1));
    return Math.min(Math.max(at, 0), this.times.length - 1);
  }

  #key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || this.times.length === 0) return;
    event.preventDefault();
    const last = this.times.length - 1;
    this.#look(Math.min(Math.max((this.looked ?? last) + steps[event.key], 0), last));
  }

  /** Shows the values of one time; without one, sums of what is counted and the last of what is measured. */
  #look(at) {
    this.looked = at === null || this.times.length === 0 ? null : Math.min(at, this.times.length - 1);
    this.svg.querySelector(".at")?.remove();
    this.when.textContent = this.most && !this.#isEmpty ? "most in this time" : "";
    if (this.looked !== null && !this.#isEmpty) {
      const x = this.#x(this.looked);
      this.svg.append(drawn("line", { class: "at", x1: x, x2: x, y1: MARGIN.top, y2: this.height - MARGIN.bottom }));
      this.when.textContent = this.label(this.times[this.looked], { second: "2-digit" });
    }
    const swatch = ({ look, dashed }) => element("i", null, `${look} ${this.#summed ? "" : dashed ? "dashed" : "solid"}`);
    this.legend.replaceChildren(
      ...(this.#isEmpty ? [] : this.series).map((one) => {
        const item = element("li");
        item.append(swatch(one), one.name, element("b", this.#value(one)));
        return item;
      }),
    );
  }

  #value({ values }) {
    if (this.looked !== null) return values[this.looked] === null ? "–" : this.format(values[this.looked] ?? 0);
    if (this.#summed) return this.format(values.reduce((sum, value) => sum + (value ?? 0), 0));
    const known = values.filter((value) => value !== null && value !== undefined);
    const last = this.most && known.length > 0 ? Math.max(...known) : known.at(-1);
    return last === undefined ? "–" : this.format(last);
  }

  #told() {
    if (this.#isEmpty) return `${this.title}: ${this.none}`;
    const all = this.series.map((one) => `${one.name} ${this.#value(one)}`).join(", ");
    return `${this.title}, from ${this.label(this.times[0])} to ${this.label(this.times.at(-1))}: ${all}. Left and right arrows go through the times.`;
  }
}
