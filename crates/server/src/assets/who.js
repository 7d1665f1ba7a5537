// Who asks, by the key that was typed in, and what it may do.
import { ask, key } from "/assets/api.js";

const NOBODY = { id: null, name: "", scopes: [], open: false };
let known = NOBODY;
/** Why nobody is known, in one sentence. */
let why = "";

export const who = () => known;
/** An administrator may see all numbers. */
export const may = (scope) => known.scopes.includes(scope) || (scope === "observe" && known.scopes.includes("admin"));

/** In one sentence, why none of these scopes is there; empty where one is, or none is asked for. */
export function lacking(scopes) {
  if (known.id === null) return why;
  if (scopes.length === 0 || scopes.some(may)) return "";
  return `this needs a key with scope ${scopes.join(" or ")}; key ${known.name} has ${known.scopes.join(", ") || "none"}`;
}

/** What a call by curl carries for the key; the key itself stays out of the page. */
export const curlKey = () => (known.open ? "" : ' -H "Authorization: Bearer $LLM_FIRECRACKER_KEY"');

/** Asks anew. */
export async function learn() {
  const asked = key();
  known = NOBODY;
  why = "";
  try {
    // Without a key it is asked first whether one is needed: who only opens the page was refused nothing.
    if (!asked && (await ask("/healthz")).keys) {
      why = "paste a key above";
      return;
    }
    const answer = await ask("/api/v1/whoami");
    if (asked === key()) known = answer;
  } catch (error) {
    if (asked !== key()) return;
    why = error.status === 401 ? "this key is not known: paste another one above" : error.message;
  }
}
