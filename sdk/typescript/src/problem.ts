// What goes wrong, by kind. A program that failed is a result and never one of these.

import { CODES } from "./generated/codes.js";
import type { Schemas } from "./models.js";

/** A code of a problem that this version of the package knows. */
export type KnownCode = keyof typeof CODES;
/** A code of a problem; a newer service may have others. */
export type Code = KnownCode | (string & {});

/** Marks problems, so that those of the ES module and of the CommonJS one are told alike. */
const BRAND = Symbol.for("llm-firecracker.problem");

/** The service refused a request, or failed at it: match on {@link ProblemError.code}. */
export class ProblemError extends Error {
  /** Always `ProblemError`. */
  override readonly name = "ProblemError";
  /** @internal */
  readonly [BRAND] = true;
  /** The stable code. */
  readonly code: Code;
  /** The HTTP status that goes with it. */
  readonly status: number;
  /** What happened and what to do. */
  readonly detail: string;
  /** The request's field, when one is to blame. */
  readonly field: string | undefined;
  /** The job's name in the service's events and logs, when it has one. */
  readonly traceId: string | undefined;
  /** Seconds after which it is worth trying again, when the service says so. */
  readonly retryAfter: number | undefined;

  /** Of a problem's body, and the seconds that `Retry-After` says. */
  constructor(body: Problem, retryAfter?: number) {
    super(`${body.detail} [${body.code}]`);
    this.code = body.code;
    this.status = body.status;
    this.detail = body.detail;
    this.field = body.field ?? undefined;
    this.traceId = body.trace_id ?? undefined;
    this.retryAfter = retryAfter;
  }
}

/** What of a problem's body counts. */
export type Problem = Pick<Schemas["ProblemBody"], "code" | "detail" | "status" | "field" | "trace_id">;

/** Whether something that came is a problem. */
export function isProblemBody(body: unknown): body is Problem {
  const fields = body as Partial<Problem> | null | undefined;
  return typeof fields?.code === "string" && typeof fields.detail === "string" && typeof fields.status === "number";
}

/** The way to the service failed, or what came over it is no answer of this service; `cause` has the reason. */
export class ConnectionError extends Error {
  /** The class's. */
  override readonly name: string = "ConnectionError";
}

/** A stream of events broke off before its last one. */
export class StreamCutError extends ConnectionError {
  /** The class's. */
  override readonly name: string = "StreamCutError";
  /** Where to go on, when the stream has offsets. */
  readonly nextOffset: number | undefined;

  /** With the offset that came last. */
  constructor(what: string, nextOffset?: number) {
    super(`${what} broke off before its end`);
    this.nextOffset = nextOffset;
  }
}

/**
 * Whether an error is a problem with one of these codes, or with any when none is named.
 *
 * @example
 * ```ts
 * catch (error) {
 *   if (isProblem(error, "sandbox_not_found")) return;
 *   throw error;
 * }
 * ```
 */
export function isProblem(error: unknown, ...codes: Code[]): error is ProblemError {
  const is = typeof error === "object" && error !== null && BRAND in error;
  return is && (codes.length === 0 || codes.includes((error as ProblemError).code));
}

/** The status that goes with a code. */
export function statusOf(code: Code): number {
  return code in CODES ? CODES[code as KnownCode] : 500;
}
