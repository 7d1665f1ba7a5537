// Between text, base64 and bytes, without what only one runtime has.

import type { Printed } from "./models.js";

/** The bytes of base64, blanks and line breaks left out. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Bytes as base64, for `data` of a program's files. */
export function toBase64(bytes: Uint8Array): string {
  // In pieces: a call takes some ten thousand arguments at most.
  const PIECE = 8192;
  let binary = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return btoa(binary);
}

/** The very bytes of what was printed, UTF-8 or not. */
export function bytesOf(printed: Printed): Uint8Array {
  return printed.base64 == null ? new TextEncoder().encode(printed.data) : fromBase64(printed.base64);
}
