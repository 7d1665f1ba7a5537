// Sends a call from the page, with the reader's key, and shows what comes back: as text, whatever it is.
import { fetchAs } from "/assets/api.js";
import { element } from "/assets/dom.js";

const SHOWN_BYTES = 200_000;
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** What is under way, by its form. */
const running = new Map();

const part = (form, name) => form.querySelector(`.${name}`);

function say(form, text, className = "") {
  part(form, "told").textContent = text;
  part(form, "told").className = `told ${className}`;
}

function address(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("input[data-place]")) {
    if (field.dataset.place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.value !== "") query.set(field.name, field.value);
  }
  return query.size ? `${path}?${query}` : path;
}

function wanted(form) {
  const { accept, body } = form.elements;
  const headers = accept ? { accept: accept.value } : {};
  if (body) headers["content-type"] = body.dataset.type;
  return { method: form.dataset.method, headers, body: body?.value };
}

async function send(form) {
  running.get(form)?.abort();
  const own = new AbortController();
  running.set(form, own);
  part(form, "stop").disabled = false;
  part(form, "seen").hidden = true;
  say(form, "waiting …");
  const begun = performance.now();
  const took = () => `${Math.round(performance.now() - begun)} ms`;
  try {
    const answer = await fetchAs(address(form), { ...wanted(form), signal: own.signal });
    const status = `${answer.status} ${answer.statusText}`;
    say(form, `${status} · ${took()}`, answer.ok ? "good" : "bad");
    part(form, "headers").textContent = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    part(form, "seen").hidden = false;
    await show(part(form, "body"), answer);
    say(form, `${status} · ${took()}`, answer.ok ? "good" : "bad");
  } catch (error) {
    say(form, error.name === "AbortError" ? `stopped after ${took()}` : error.message, "bad");
  } finally {
    if (running.get(form) === own) part(form, "stop").disabled = true;
  }
}

async function show(place, answer) {
  const kind = (answer.headers.get("content-type") ?? "").split(";")[0];
  place.replaceChildren();
  if (PICTURES.includes(kind)) {
    const picture = element("img");
    picture.alt = "the answer";
    picture.src = URL.createObjectURL(await answer.blob());
    picture.onload = picture.onerror = () => URL.revokeObjectURL(picture.src);
    place.append(picture);
    return;
  }
  const decoder = new TextDecoder();
  const reader = answer.body?.getReader();
  let shown = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) break;
    if (shown < SHOWN_BYTES) place.append(decoder.decode(value, { stream: true }));
    shown += value.length;
  }
  if (shown === 0) place.append(element("span", "no body", "muted"));
  else if (shown > SHOWN_BYTES) place.append(element("span", `\n… ${shown} bytes in all`, "warn"));
  else if (kind.endsWith("json") && kind !== "application/x-ndjson") pretty(place);
}

function pretty(place) {
  try {
    place.textContent = JSON.stringify(JSON.parse(place.textContent), null, 2);
  } catch {
    // It stays as it came.
  }
}

/** What is filled in stands in the examples of the same call, too. */
function fill(form, field) {
  const marked = form.closest(".call").querySelectorAll(`var[data-of='${field.name}']`);
  for (const one of marked) one.textContent = field.value || field.placeholder;
}

for (const form of document.querySelectorAll(".attempt form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  part(form, "stop").addEventListener("click", () => running.get(form)?.abort());
  form.addEventListener("input", ({ target }) => target.dataset.place === "path" && fill(form, target));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
