// Running a program.
import { events, request } from "/assets/api.js";
import { inlined } from "/assets/artifacts.js";
import { at, element, seconds, tell, tone } from "/assets/dom.js";
import { pieces } from "/assets/highlight.js";
import { lacking } from "/assets/who.js";

const SHOWN_OUTPUT = 200_000;
export const EXAMPLES = {
  python: 'import sys\n\nprint("Hello from", sys.version.split()[0])\n',
  node: 'console.log("Hello from", process.version);\n',
  go: 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello from Go")\n}\n',
  rust: 'fn main() {\n    println!("Hello from Rust");\n}\n',
  bash: 'echo "Hello from bash $BASH_VERSION"\n',
};

let running = null;

// The editor

function highlight() {
  const spans = [...pieces(at("language").value, at("editor").value)].map(([kind, text]) => element("span", text, kind));
  // A last line that is empty has no height without a character.
  at("shadow").replaceChildren(...spans, "\n");
  follow();
}

function follow() {
  const shadow = at("shadow").parentElement;
  shadow.scrollTop = at("editor").scrollTop;
  shadow.scrollLeft = at("editor").scrollLeft;
}

export function example() {
  const written = at("editor").value;
  if (written === "" || Object.values(EXAMPLES).includes(written)) {
    at("editor").value = EXAMPLES[at("language").value] ?? "";
  }
  highlight();
}

// Running

function wanted() {
  const number = (id) => (at(id).value === "" ? undefined : Number(at(id).value));
  return {
    language: at("language").value,
    code: at("editor").value,
    stdin: at("stdin").value || undefined,
    timeout: number("timeout"),
    memory_mib: number("memory"),
    vcpus: number("vcpus"),
  };
}

function show(text, className) {
  const output = at("output");
  if (output.textContent.length > SHOWN_OUTPUT) return;
  const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
  output.append(element("span", text, className));
  if (atEnd) output.scrollTop = output.scrollHeight;
}

async function run(event) {
  event?.preventDefault();
  if (running || at("run").disabled) return;
  running = new AbortController();
  at("run").disabled = true;
  at("stop").disabled = false;
  at("output").replaceChildren();
  at("artifacts").replaceChildren();
  at("result-part").hidden = true;
  ending("running …");
  try {
    const response = await request("/api/v1/execute", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify(wanted()),
      signal: running.signal,
    });
    for await (const { name, data } of events(response)) {
      if (name === "result") finish(data);
      else show(data.data, name);
    }
  } catch (error) {
    ending(error.name === "AbortError" ? "stopped; its VM is gone" : error.message, "bad");
  } finally {
    running = null;
    at("run").disabled = lacking(["run"]) !== "";
    at("stop").disabled = true;
  }
}

/** Says so where the key may not run anything. */
export function allow() {
  const why = lacking(["run"]);
  at("run").disabled = why !== "" || running !== null;
  if (!running) ending(why, "warn");
}

const ending = (text, className) => tell("ending", text, className);

function finish(result) {
  const { timings, usage } = result;
  const how = result.error ?? "ended well";
  ending(`${result.status}: ${how} · ${seconds(timings.total)} (${timings.path ?? "no VM"}) · ${usage.memory_peak_mib} MiB`, tone(result.status));
  const { artifacts, ...rest } = result;
  at("result-part").hidden = false;
  at("result").textContent = JSON.stringify(rest, null, 2);
  at("artifacts").replaceChildren(...artifacts.map(inlined));
}

at("editor").addEventListener("input", highlight);
at("editor").addEventListener("scroll", follow);
at("language").addEventListener("change", example);
at("run-form").addEventListener("submit", run);
at("stop").addEventListener("click", () => running?.abort());
at("editor").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event);
});
