import type { Transport } from "./transport.js";

/** A sandbox's part of the API. */
export interface Place {
  transport: Transport;
  /** The path that all of the sandbox's begin with. */
  path: string;
}
