// Who asks, by the key that was typed in, and what it may do.
import { ask } from "/assets/api.js";

const NOBODY = { id: null, name: "", scopes: [], open: false };
let known = NOBODY;

export const who = () => known;
/** An administrator may see all numbers. */
export const may = (scope) => known.scopes.includes(scope) || (scope === "observe" && known.scopes.includes("admin"));

/** Asks anew; throws where the key does not count. */
export async function learn() {
  known = NOBODY;
  known = await ask("/api/v1/whoami");
}
