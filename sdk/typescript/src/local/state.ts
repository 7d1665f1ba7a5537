// The folder of a service of one's own: its key, its configuration, and the way to the host's images.

import { execFile } from "node:child_process";
import { access, constants, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { ConnectionError } from "../problem.js";

const NAME = "llm-firecracker";
const SYSTEM_STATE = "/var/lib/llm-firecracker";
/** Uids of one service, so VMs at one time. */
const UIDS = 200;

/** The folder, and what is said of it on the command line. */
export interface State {
  /** Where it is. */
  folder: string;
  /** Flags that name it. */
  flags: string[];
  /** Removes it. */
  remove: () => Promise<void>;
}

/** The tool that is meant. */
export async function findBinary(named?: string): Promise<string> {
  const binary = named ?? process.env["LLM_FIRECRACKER_BIN"];
  if (binary) return binary;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (folder && (await isThere(join(folder, NAME), constants.X_OK))) return join(folder, NAME);
  }
  throw new ConnectionError(`there is no ${NAME} in the PATH; LLM_FIRECRACKER_BIN may say where it is`);
}

/** Makes the folder: a service has its lock on one, and this one is nobody else's. */
export async function makeState(wanted: { images?: string | undefined; configuration?: string | undefined }): Promise<State> {
  const images = join(wanted.images ?? (await imagesOfTool()), "images");
  if (!(await isThere(images, constants.R_OK))) {
    throw new ConnectionError(`there are no images in ${images}: llm-firecracker images build`);
  }
  const folder = await mkdtemp(join(tmpdir(), `${NAME}-`));
  await symlink(images, join(folder, "images"));
  const configuration = join(folder, "config.toml");
  await writeFile(configuration, settings(folder, wanted.configuration), { mode: 0o600 });
  return {
    folder,
    flags: ["--state-dir", folder, "--config", configuration],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Makes the only key that the service has: other users of this machine reach its port, but not what it runs. */
export async function addKey(binary: string, state: State): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(binary, [...state.flags, "keys", "add", "local"]);
    return stdout.trim();
  } catch (cause) {
    const words = String((cause as { stderr?: unknown }).stderr ?? (cause as Error).message).trim();
    throw new ConnectionError(`${binary} makes no key: ${words}`, { cause });
  }
}

/** Where the tool keeps its images when nobody says so: as it decides itself. */
async function imagesOfTool(): Promise<string> {
  const named = process.env["LLM_FIRECRACKER_STATE_DIR"];
  if (named) return named;
  if (process.getuid?.() === 0) return SYSTEM_STATE;
  const data = process.env["XDG_DATA_HOME"] || join(homedir(), ".local/share");
  return join(data, NAME);
}

function settings(folder: string, more = ""): string {
  // A service that runs as root gives each VM a uid of its own. The installed one has those from 10000 on, and what people
  // have is far from these. Two of one's own may draw the same: then the jails around their VMs are all between these.
  const base = 25_000 + UIDS * Math.floor(Math.random() * 70);
  return [
    "[server]",
    `keys_file = ${JSON.stringify(join(folder, "keys.json"))}`,
    "[vmm]",
    `uid_base = ${base}`,
    `uid_count = ${UIDS}`,
    more,
    "",
  ].join("\n");
}

async function isThere(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
