// A terminal of one sandbox's process. What it shows was written by a guest that nobody trusts.
import { send, socket } from "/assets/api.js";
import { at, button, element, span, tell } from "/assets/dom.js";
import "/assets/xterm-styles.js";
import { FitAddon } from "/assets/xterm/addon-fit.mjs";
import { Terminal } from "/assets/xterm/xterm.mjs";

/** Bytes that may wait to be drawn before the process has to; and how few are left when it goes on. */
const FULL_BYTES = 512 * 1024;
const ROOM_BYTES = 64 * 1024;
/** The service takes messages of 64 KiB. */
const MESSAGE_BYTES = 32 * 1024;
const SCROLLBACK_LINES = 5000;
/** A place that is not laid out yet has no size, and of one row and two columns readline divides by zero. */
const SMALLEST = { rows: 4, columns: 20 };

/**
 * Control sequences of the guest's that end here: titles (0, 1, 2), links (8) and the clipboard (52). Windows are
 * neither moved nor told of, for `windowOptions` are off.
 */
const REFUSED_OSC = [0, 1, 2, 8, 52];

const dark = matchMedia("(prefers-color-scheme: dark)");
const encoder = new TextEncoder();

/** What is shown now: ended by `close`. */
let current = null;

/** Starts a shell and shows it. */
export async function open(sandbox, expiring) {
  const shown = show();
  try {
    const process = await send("POST", `${sandbox}/processes`, { argv: ["/bin/bash", "-l"], pty: shown.size() });
    shown.connect(sandbox, process, expiring);
  } catch (error) {
    shown.says(error.message, "bad");
  }
}

/** Shows a process that has a terminal already. */
export function attach(sandbox, process, expiring) {
  show().connect(sandbox, process, expiring);
}

export function leave() {
  current?.close();
  current = null;
  at("terminal-part").hidden = true;
}

function show() {
  leave();
  at("terminal-part").hidden = false;
  current = new Shown();
  current.terminal.focus();
  return current;
}

function theme() {
  // As the page has them now; the DOM says them as rgb().
  const { color, backgroundColor } = getComputedStyle(at("terminal"));
  return { foreground: color, background: backgroundColor, cursor: color, cursorAccent: backgroundColor, selectionBackground: "#8888" };
}

class Shown {
  constructor() {
    this.terminal = new Terminal({
      fontFamily: "ui-monospace, monospace",
      fontSize: 13,
      scrollback: SCROLLBACK_LINES,
      // What is shown again asks again, and whoever asked is gone: nothing is answered before all of it is shown.
      disableStdin: true,
      minimumContrastRatio: 4.5,
      theme: theme(),
      windowOptions: {},
    });
    for (const sequence of REFUSED_OSC) this.terminal.parser.registerOscHandler(sequence, () => true);
    this.fits = new FitAddon();
    this.terminal.loadAddon(this.fits);
    this.terminal.open(at("terminal"));
    this.#fit();
    this.terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    this.watch = new ResizeObserver(() => this.#fit());
    this.watch.observe(at("terminal"));
    this.recolour = () => (this.terminal.options.theme = theme());
    dark.addEventListener("change", this.recolour);
    this.waiting = 0;
    this.paused = false;
    this.socket = null;
  }

  #fit() {
    const { rows, cols } = this.fits.proposeDimensions() ?? {};
    if (Number.isFinite(rows) && Number.isFinite(cols)) {
      this.terminal.resize(Math.max(cols, SMALLEST.columns), Math.max(rows, SMALLEST.rows));
    }
  }

  size() {
    return { rows: this.terminal.rows, columns: this.terminal.cols };
  }

  says(text, className) {
    tell("terminal-told", text, className);
  }

  connect(sandbox, process, expiring) {
    // Another was opened while this one's shell began.
    if (current !== this) return;
    this.says(`process ${process.id} …`);
    try {
      this.socket = socket(`${sandbox}/processes/${process.id}/terminal`);
    } catch (error) {
      this.says(error.message, "bad");
      return;
    }
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.#send(JSON.stringify(this.size()));
    this.socket.onmessage = ({ data }) => (typeof data === "string" ? this.#told(JSON.parse(data), expiring) : this.#write(new Uint8Array(data)));
    this.socket.onclose = ({ reason, code }) => {
      this.terminal.options.disableStdin = true;
      this.says(reason || `the connection ended (${code}); the process may still run`, code === 1000 ? "" : "warn");
    };
    this.terminal.onData((text) => this.#type(encoder.encode(text)));
    this.terminal.onBinary((text) => this.#type(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    this.terminal.onResize(() => this.#send(JSON.stringify(this.size())));
  }

  #send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  #type(bytes) {
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) this.#send(bytes.subarray(at, at + MESSAGE_BYTES));
  }

  /** A WebSocket takes whatever comes: what is not drawn yet is counted, and too much of it stops the process. */
  #write(bytes) {
    this.waiting += bytes.length;
    this.#pause(this.paused || this.waiting > FULL_BYTES);
    this.terminal.write(bytes, () => {
      this.waiting -= bytes.length;
      this.#pause(this.paused && this.waiting > ROOM_BYTES);
    });
  }

  #pause(paused) {
    if (paused === this.paused) return;
    this.paused = paused;
    this.#send(JSON.stringify({ flow: paused ? "pause" : "resume" }));
  }

  #told(word, expiring) {
    // Behind all that was written before it.
    if (word.replayed) this.terminal.write("", () => this.#ready());
    if (word.expiring) {
      this.says(`the sandbox ends in ${span(word.expiring.seconds_left)}`, "warn");
      expiring(word.expiring);
    }
  }

  #ready() {
    this.terminal.options.disableStdin = false;
    this.says("ready");
  }

  /** Tab belongs to the shell, so another key leaves. */
  #key(event) {
    if (!(event.key === "Enter" && event.ctrlKey && event.shiftKey)) return true;
    event.preventDefault();
    if (event.type === "keydown") at("terminal-actions").querySelector("button").focus();
    return false;
  }

  close() {
    this.watch.disconnect();
    dark.removeEventListener("change", this.recolour);
    if (this.socket) this.socket.onclose = this.socket.onmessage = null;
    this.socket?.close();
    this.terminal.dispose();
  }
}

at("terminal-actions").append(button("Close the terminal", leave), element("span", "Control, Shift and Enter leaves it; what runs in it runs on."));
