// What the checks have in common.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

export const bytes = (text) => new TextEncoder().encode(text)
export const text = (data) => new TextDecoder().decode(data)
export const name = () => `js-${randomUUID()}`

/** Waits until it is so, five seconds at most. */
export async function until(condition) {
  const end = Date.now() + 5000
  while (!condition()) {
    assert(Date.now() < end, 'it was waited for in vain')
    await new Promise((next) => setTimeout(next, 50))
  }
}

/** All of a stream of bytes, as text. */
export async function whole(stream) {
  let all = ''
  for await (const chunk of stream) all += typeof chunk === 'string' ? chunk : text(chunk)
  return all
}
