// Streams of the API's events as typed values: where they end, what their errors become, how they go on when cut.

import { ConnectionError, isProblemBody, ProblemError, StreamCutError } from "./problem.js";
import type { ServerEvent } from "./sse.js";
import { sleep, type Request, type Transport } from "./transport.js";

/** How a kind of stream ends. */
export interface Ending<T> {
  /** What is read, in the words of an error. */
  what: string;
  /** Nothing comes after it. */
  isLast: (event: T) => boolean;
  /** The event of this name is a problem, and the end. */
  problem?: "error";
}

/** How often a stream is taken up again that broke off and told nothing since. */
const FRUITLESS = 3;
/** The pause before that, in milliseconds. */
const PAUSE = 250;

/** Each event as `{ event, …data }`, to the last. */
export async function* told<T>(events: AsyncIterable<ServerEvent>, ending: Ending<T>): AsyncGenerator<T, void> {
  let last: string | undefined;
  for await (const { event, data, id } of events) {
    last = id || last;
    const body = parse(data, ending.what);
    if (event === ending.problem) throw refused(body, ending.what);
    const value = { ...body, event } as T;
    yield value;
    if (ending.isLast(value)) return;
  }
  throw new StreamCutError(ending.what, last === undefined ? undefined : Number(last));
}

/** The same of a stream that can be taken up where it broke off, and is. */
export async function* toldOn<T>(transport: Transport, request: Request, ending: Ending<T>): AsyncGenerator<T, void> {
  let from = request.query?.["from"];
  for (let left = FRUITLESS; ; left--) {
    let heard = false;
    try {
      const events = transport.events({ ...request, query: { ...request.query, from } });
      for await (const event of told<T>(events, ending)) {
        [heard, left] = [true, FRUITLESS];
        yield event;
      }
      return;
    } catch (error) {
      request.signal?.throwIfAborted();
      // Where it is something else that went wrong, what was told would be told again.
      const isCut = error instanceof StreamCutError;
      const again = isCut || (error instanceof ConnectionError && !heard);
      if (!again || left <= 0) throw error;
      if (isCut) from = error.nextOffset ?? from;
      await sleep(PAUSE, request.signal);
    }
  }
}

function refused(body: object, what: string): Error {
  return isProblemBody(body) ? new ProblemError(body) : new ConnectionError(`${what} ended without a reason`);
}

function parse(data: string, what: string): object {
  try {
    return JSON.parse(data) as object;
  } catch (cause) {
    throw new ConnectionError(`${what} is no JSON`, { cause });
  }
}
