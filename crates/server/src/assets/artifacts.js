// What a program left: pictures are shown, text is shown as text, all can be saved.
import { request } from "/assets/api.js";
import { button, bytes, element } from "/assets/dom.js";

// As a picture an SVG file runs no script and fetches nothing.
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"];
const TEXTS = ["application/json", "application/xml"];
/** What is shown of itself; a larger one is to be saved. */
const SHOWN_BYTES = 2 * 1024 * 1024;
const SHOWN_TEXT = 20_000;

export function save(name, blob) {
  const link = element("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.slice(name.lastIndexOf("/") + 1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function picture(name, blob) {
  const made = element("img");
  made.alt = name;
  made.src = URL.createObjectURL(blob);
  made.onload = made.onerror = () => URL.revokeObjectURL(made.src);
  return made;
}

const isText = (type) => type.startsWith("text/") || TEXTS.includes(type);

async function shown({ name, mime_type: type }, blob) {
  if (PICTURES.includes(type)) return picture(name, new Blob([blob], { type }));
  if (!isText(type)) return "";
  const text = await blob.text();
  const pre = element("pre", text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}\n…` : text);
  pre.tabIndex = 0;
  pre.ariaLabel = name;
  return pre;
}

/** A file with its name, what it is, and a way to save it. `bring` gives its bytes as a blob. */
export function artifact(file, bring) {
  const figure = element("figure");
  const caption = element("figcaption");
  const told = element("span", null, "bad");
  const fails = (error) => (told.textContent = error.message);
  const saves = button("Save", () => bring().then((blob) => save(file.name, blob)).catch(fails));
  saves.ariaLabel = `Save ${file.name}`;
  caption.append(element("b", file.name), `${file.mime_type} · ${bytes(file.size)}`, saves, told);
  figure.append(caption);
  if (file.size <= SHOWN_BYTES && (PICTURES.includes(file.mime_type) || isText(file.mime_type))) {
    bring().then((blob) => shown(file, blob)).then((made) => figure.append(made)).catch(fails);
  }
  return figure;
}

/** One that came with a result. */
export function inlined(file) {
  const content = file.data[file.mime_type];
  const isBase64 = typeof content === "string" && !isText(file.mime_type) && file.mime_type !== "image/svg+xml";
  const part = typeof content === "string" ? (isBase64 ? Uint8Array.from(atob(content), (c) => c.charCodeAt(0)) : content) : JSON.stringify(content, null, 2);
  const blob = new Blob([part], { type: "application/octet-stream" });
  return artifact(file, async () => blob);
}

/** One that the service keeps. */
export function kept(file) {
  return artifact(file, async () => (await request(file.href)).blob());
}
