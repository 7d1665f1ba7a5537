/**
 * A client of LLM-Firecracker: programs, each in a microVM of its own, and sandboxes that stay. No dependencies; for
 * Node, Deno, Bun and browsers.
 *
 * @packageDocumentation
 */

export { bytesOf, fromBase64, toBase64 } from "./bytes.js";
export { Client, type RunOptions } from "./client.js";
export { Commands, type CommandOptions } from "./commands.js";
export { Context, Contexts, type CodeOptions, type CodeResult, type StreamCodeOptions } from "./contexts.js";
export { Files, type FolderOptions } from "./files.js";
export type * from "./models.js";
export { ConnectionError, isProblem, ProblemError, StreamCutError, type Code, type KnownCode, type Problem } from "./problem.js";
export {
  Process,
  Processes,
  type Command,
  type ProcessResult,
  type StartOptions,
  type WaitOptions,
} from "./processes.js";
export { Sandbox } from "./sandbox.js";
export { EventParser, readEvents, type ServerEvent } from "./sse.js";
export { Terminal, type TerminalOptions } from "./terminal.js";
export type { CallOptions, ClientOptions, Data } from "./transport.js";
