// The API's own types under the names that this package uses. Fields are the wire's, so what the API's page says of
// them holds here as it stands.

import type { components, paths } from "./generated/api.js";

/** Every schema of the API, by its name in `/openapi.json`. */
export type Schemas = components["schemas"];
/** Every path of the API, for what this package has no method for. */
export type Paths = paths;

/** `ok`: it ended by itself and well. `error`: it did not. The others: what ended it. */
export type Status = "ok" | "error" | "timeout" | "oom" | "killed";

/** A name that is known, or one that a newer service says. */
type Open<T extends string> = T | (string & {});

/** A program to run. */
export type RunRequest = Schemas["ExecuteRequest"];
/** How a program ended, what it printed and left. */
export type RunResult = Omit<Schemas["ExecuteResponse"], "status" | "failure"> & { status: Open<Status> };
/** What comes of a program as it runs; `result` is the last. */
export type RunEvent =
  | ({ event: "stdout" } & Printed)
  | ({ event: "stderr" } & Printed)
  | ({ event: "result" } & RunResult);

/** Text, and where it is no UTF-8 its bytes beside it; see {@link bytesOf}. */
export type Printed = {
  /** As text; bytes that are no UTF-8 replaced. */
  data: string;
  /** The same as base64, when it is no UTF-8. */
  base64?: string | null;
};

/** A sandbox that is wanted. */
export type SandboxRequest = Schemas["SandboxRequest"];
/** A sandbox as the service tells of it. */
export type SandboxInfo = Schemas["SandboxBody"];

/** A process that is wanted; `cmd` or `argv` says what it runs. */
export type ProcessRequest = Schemas["ProcessRequest"];
/** A process as the service tells of it. */
export type ProcessInfo = Omit<Schemas["ProcessBody"], "exit"> & { exit?: ProcessExit | null };
/** How a process ended. */
export type ProcessExit = Omit<Schemas["ExitBody"], "status"> & { status: Open<Status> };
/** What comes of a process; `exit` is the last. */
export type ProcessEvent =
  | ({ event: "started" } & ProcessInfo)
  | ({ event: "output" } & Schemas["OutputBody"])
  | ({ event: "expiring" } & Expiring)
  | ({ event: "exit" } & ProcessExit);
/** The sandbox ends by itself soon. */
export type Expiring = Schemas["ExpiringBody"];
/** Who gets a signal. */
export type SignalTarget = Schemas["To"];
/** A terminal's size, in characters. */
export type Size = Schemas["SizeBody"];

/** A cell for a context. */
export type CellRequest = Schemas["ExecuteCellRequest"];
/** A value that was shown: MIME type → text or base64. */
export type Result = Schemas["ResultBody"];
/** An error that a cell did not catch. */
export type CellError = Schemas["CellErrorBody"];
/** How a cell ended. */
export type CellEnd = Omit<Schemas["CellEndBody"], "status"> & { status: Open<Status> };
/** A context that is wanted. */
export type ContextRequest = Schemas["ContextRequest"];
/** A context as the service tells of it. */
export type ContextInfo = Schemas["ContextBody"];

type Numbered = {
  /** Its number among all that is told of the context. */
  offset: number;
  /** Where to go on. */
  next_offset: number;
  /** Which cell's it is; `null`: nobody knows. */
  cell: number | null;
};
/** What comes of a context and its cells; `end` is the last of a cell. */
export type CellEvent = Numbered &
  (
    | { event: "renewed" | "begun" }
    | ({ event: "output" } & Schemas["PrintedBody"])
    | ({ event: "display" | "result" } & Schemas["ShownBody"])
    | ({ event: "error" } & CellError)
    | ({ event: "end" } & CellEnd)
    | ({ event: "lost" } & Schemas["LostBody"])
  );

/** An entry of a folder. */
export type Entry = Schemas["EntryBody"];
/** A folder's entries; `truncated` says that there were more. */
export type Entries = Schemas["EntriesBody"];
/** What changes in a folder; `end` is the last, where the folder itself goes. */
export type WatchEvent =
  | { event: "watching"; folders: number }
  | { event: "created" | "modified" | "removed"; path: string }
  | { event: "moved"; from: string; path: string }
  | { event: "overflow"; of: Open<"events" | "folders"> }
  | { event: "end" };

/** A language that the service knows. */
export type LanguageInfo = Schemas["LanguageBody"];
/** An image that programs and sandboxes may have. */
export type ImageInfo = Schemas["RootfsBody"];
/** Whether jobs are taken. */
export type Readiness = Schemas["Readiness"];
