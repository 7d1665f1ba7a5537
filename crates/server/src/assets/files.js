// The files of one sandbox: a folder at a time.
import { ask, request, send } from "/assets/api.js";
import { save } from "/assets/artifacts.js";
import { at, button, bytes, cell, element, labelled, surely, tell } from "/assets/dom.js";

const HOME = "/work";
/** A file is held by the browser until all of it is there; one of the guest's may have no end. */
const MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024;

let base = null;
let folder = HOME;

export function enter(path) {
  base = path;
  browse(HOME);
}

const join = (name) => `${folder.replace(/\/+$/, "")}/${name}`;
const query = (path) => `path=${encodeURIComponent(path)}`;
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

async function browse(path) {
  const asked = base;
  try {
    const { entries, truncated } = await ask(`${base}/entries?${query(path)}`);
    if (asked !== base) return;
    folder = path;
    at("files-path").value = path;
    at("file-rows").replaceChildren(...entries.map(shown));
    at("file-table").hidden = entries.length === 0;
    at("files-none").hidden = entries.length > 0;
    tell("files-told", truncated ? "there are more entries than are shown" : "");
  } catch (error) {
    if (asked === base) tell("files-told", error.message, "bad");
  }
}

function shown(entry) {
  const name = nameOf(entry.path);
  const isFolder = entry.kind === "folder";
  const open = button(isFolder ? `${name}/` : name, () => (isFolder ? browse(entry.path) : download(entry.path)));
  open.className = "name";
  const remove = surely("Delete", () => act(() => request(`${base}/files?${query(entry.path)}`, { method: "DELETE" })));
  const cells = {
    name: cell(open, entry.target === undefined ? "" : ` → ${entry.target}`),
    kind: element("td", entry.kind),
    size: element("td", isFolder ? "–" : bytes(entry.size)),
    mode: element("td", entry.mode),
    changed: element("td", entry.modified_at?.slice(0, 19).replace("T", " ") ?? "–"),
    "": isFolder ? cell(remove) : cell(button("Download", () => download(entry.path)), remove),
  };
  return labelled(cells);
}

/** Does something to files, and shows the folder as it is then. */
async function act(work) {
  try {
    await work();
    await browse(folder);
  } catch (error) {
    tell("files-told", error.message, "bad");
  }
}

async function download(path) {
  tell("files-told", `reading ${path} …`);
  try {
    const blob = new Blob(await pieces(await request(`${base}/files?${query(path)}`)), { type: "application/octet-stream" });
    save(path, blob);
    tell("files-told", `${path}: ${bytes(blob.size)}`);
  } catch (error) {
    tell("files-told", error.message, "bad");
  }
}

async function pieces(response) {
  const reader = response.body.getReader();
  const read = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return read;
    read.push(value);
    size += value.length;
    if (size <= MAX_DOWNLOAD_BYTES) continue;
    await reader.cancel();
    throw new Error(`over ${bytes(MAX_DOWNLOAD_BYTES)}; use: llm-firecracker sandbox cp`);
  }
}

async function upload() {
  const chosen = [...at("file-upload").files];
  at("file-upload").value = "";
  await act(async () => {
    for (const file of chosen) {
      tell("files-told", `sending ${file.name} …`);
      await request(`${base}/files?${query(join(file.name))}`, { method: "PUT", body: file });
    }
  });
}

at("files-form").addEventListener("submit", (event) => {
  event.preventDefault();
  browse(at("files-path").value);
});
at("files-up").addEventListener("click", () => browse(folder.replace(/\/+[^/]*\/*$/, "") || "/"));
at("file-upload").addEventListener("change", upload);
at("folder-new").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = at("folder-name").value;
  at("folder-name").value = "";
  act(() => send("POST", `${base}/folders`, { path: join(name) }));
});
