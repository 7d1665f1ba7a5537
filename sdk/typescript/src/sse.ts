// Server-sent events, read as the HTML standard says, but for `retry`: how often to come back is the caller's choice.

/** One event. */
export interface ServerEvent {
  /** Its name; `message` where it has none. */
  event: string;
  /** Its data; the lines of several `data` fields joined by line breaks. */
  data: string;
  /** The last `id` that was told, by this event or one before it. */
  id: string;
}

/** A line's end that is in `text`: where it begins and where the next line does. */
interface Break {
  at: number;
  next: number;
}

/** Makes events of bytes that come in pieces cut anywhere: inside a character, a line break, a line. */
export class EventParser {
  readonly #decoder = new TextDecoder();
  /** The beginning of a line whose end is still to come. */
  #line = "";
  /** The last piece ended in CR: a line feed that comes next belongs to it. */
  #afterReturn = false;
  #name = "";
  #data: string[] = [];
  #id = "";

  /** Takes the next piece; gives the events that it completes. */
  push(bytes: Uint8Array): ServerEvent[] {
    const events: ServerEvent[] = [];
    // The decoder takes the byte order mark away, and keeps a character that goes on in the next piece.
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return events;
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    this.#afterReturn = text.endsWith("\r");
    let from = 0;
    for (let end = nextBreak(text, from); end; end = nextBreak(text, from)) {
      const event = this.#take(this.#line + text.slice(from, end.at));
      if (event) events.push(event);
      this.#line = "";
      from = end.next;
    }
    this.#line += text.slice(from);
    return events;
  }

  /** Takes a whole line; gives the event that it ends. */
  #take(line: string): ServerEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    // Anything else, comments too (their field is empty), says nothing.
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const event = { event: this.#name || "message", data: this.#data.join("\n"), id: this.#id };
    const isEvent = this.#data.length > 0;
    this.#name = "";
    this.#data = [];
    return isEvent ? event : undefined;
  }
}

function nextBreak(text: string, from: number): Break | undefined {
  const feed = text.indexOf("\n", from);
  // Only as far as the line feed: a long text without returns is not searched through for each of its lines.
  const line = feed < 0 ? text.slice(from) : text.slice(from, feed);
  const inLine = line.indexOf("\r");
  if (inLine < 0) return feed < 0 ? undefined : { at: feed, next: feed + 1 };
  const at = from + inLine;
  return { at, next: at + (text[at + 1] === "\n" ? 2 : 1) };
}

/** Events of a body, as they come. Leaving the loop gives the body up. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const reader = body.getReader();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    // Who has left does not wait for it, nor for why it could not be.
    reader.cancel().catch(() => {});
  }
}
