// The service's API, with the key that the user typed in.

// The key lives as long as this tab, and only in it.
let held = sessionStorage.getItem("key") ?? "";

export const key = () => held;

export function useKey(text) {
  held = text.trim();
  if (held) sessionStorage.setItem("key", held);
  else sessionStorage.removeItem("key");
}

/** An answer, whatever it is. */
export function fetchAs(path, { headers, ...options } = {}) {
  const all = held ? { authorization: `Bearer ${held}`, ...headers } : headers;
  return fetch(path, { ...options, headers: all });
}

/** An answer that is no refusal; a refusal is thrown, with its sentence and its status. */
export async function request(path, options) {
  const response = await fetchAs(path, options);
  if (response.ok) return response;
  if (response.status === 401) document.dispatchEvent(new Event("unauthorized"));
  const body = await response.json().catch(() => ({}));
  throw Object.assign(new Error(body.detail ?? `the service answered ${response.status}`), { status: response.status, code: body.code });
}

export async function ask(path) {
  const response = await request(path, { headers: { accept: "application/json" } });
  return response.json();
}

/** Sends JSON; what is answered, `null` where that is nothing. */
export async function send(method, path, body) {
  const options = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await request(path, { method, ...options });
  return response.status === 204 ? null : response.json();
}

/** A WebSocket. A page can send a key with it as the name of a protocol only. */
export function socket(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const spoken = ["llm-firecracker.terminal"];
  return new WebSocket(url, held ? [...spoken, `llm-firecracker.key.${held}`] : spoken);
}

/** Reads server-sent events from a fetch, for an EventSource cannot send a key. */
export async function* events(response) {
  let text = "";
  for await (const chunk of lines(response.body.pipeThrough(new TextDecoderStream()))) {
    text += chunk;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const block = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name) => block.filter((l) => l.startsWith(name)).map((l) => l.slice(name.length).trim()).join("\n");
      if (field("event:")) yield { name: field("event:"), data: JSON.parse(field("data:")) };
    }
  }
}

async function* lines(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
