// The service that tests ask: one for each file of tests, started by the package's own local mode.

import { after } from "node:test";
import { startLocal, type LocalClient } from "llm-firecracker/local";

/** Starts it, and ends it behind the file's tests. */
export async function service(flags: string[] = []): Promise<LocalClient> {
  const client = await startLocal({ flags });
  after(() => client.close());
  return client;
}
