// Events as they come.
import { events, request } from "/assets/api.js";
import { at, clock, element, labelled, show } from "/assets/dom.js";

const SHOWN = 200;
const AGAIN_MILLIS = 3000;

/** An event as a row of a table. */
export function eventRow(event, { withJob }) {
  const tone = event.event_type.startsWith("VM_ST") ? "" : "warn";
  const job = element("a", event.trace_id, "name");
  job.href = `#jobs/${event.trace_id}`;
  const cells = { time: clock(event.timestamp), type: element("td", event.event_type, tone) };
  if (withJob) Object.assign(cells, { "trace id": event.trace_id ? job : "–", key: event.key_name || event.key });
  return labelled({ ...cells, what: event.details });
}

let watching = null;

/** Follows them with the key that is used now, until it is called again. */
export async function watch(heard) {
  watching?.abort();
  const own = (watching = new AbortController());
  while (!own.signal.aborted) {
    try {
      const response = await request("/api/v1/events?limit=50", { headers: { accept: "text/event-stream" }, signal: own.signal });
      at("events").replaceChildren();
      for await (const { name, data } of events(response)) {
        if (name !== "event") continue;
        at("events").prepend(eventRow(data, { withJob: true }));
        while (at("events").children.length > SHOWN) at("events").lastChild.remove();
        show("events-table", true, "events-told");
        heard();
      }
    } catch (error) {
      if (own.signal.aborted) return;
    }
    await new Promise((done) => setTimeout(done, AGAIN_MILLIS));
  }
}

export function leave() {
  watching?.abort();
  watching = null;
  at("events").replaceChildren();
  show("events-table", false, "events-told");
}
