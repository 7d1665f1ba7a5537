// A server whose answers are written by hand, byte by byte: what a broken service or proxy may send.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Client, type ClientOptions } from "llm-firecracker";

/** Answers one request. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** What was asked, in order, and a client that asks. */
export interface Scripted {
  client: Client;
  requests: IncomingMessage[];
}

/** Runs `test` with a client of a server that answers so, one after the other; the last answer stays. */
export async function scripted(
  answers: Answer[],
  test: (scripted: Scripted) => Promise<void>,
  options: ClientOptions = {},
): Promise<void> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    request.resume();
    answer?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await test({ client: new Client({ url: `http://127.0.0.1:${port}/`, ...options }), requests });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A body of JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

/** A problem. */
export function problem(status: number, code: string, headers: Record<string, string> = {}): Answer {
  const body = { type: `/docs#${code}`, title: code, status, detail: "because", code };
  return json(status, body, { "content-type": "application/problem+json", ...headers });
}

/** Events; the connection is torn down behind them where it is `cut`. */
export function events(text: string, end: "whole" | "cut" = "whole"): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text, () => (end === "cut" ? response.destroy() : response.end()));
  };
}
