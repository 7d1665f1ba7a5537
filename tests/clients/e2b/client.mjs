// E2B's own client for JavaScript, unchanged, against a service that runs (E2B_API_URL, E2B_SANDBOX_URL, E2B_API_KEY):
// `node client.mjs FOLDER`, where FOLDER/node_modules has it. One line a check; ends with their count.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { checks as commands } from './js/commands.mjs'
import { checks as files } from './js/files.mjs'
import { lacks } from './js/lacks.mjs'
import { checks as ports } from './js/ports.mjs'
import { checks as sandboxes } from './js/sandboxes.mjs'
import { checks as watches } from './js/watches.mjs'

const require = createRequire(path.join(path.resolve(process.argv[2]), 'index.js'))
const e2b = require('e2b')
// Read as a file: not every version lets its own be asked for.
const { version } = JSON.parse(readFileSync(path.join(process.argv[2], 'node_modules/e2b/package.json')))
// Of 2026, that is: what older ones have not is skipped by name.
const client = { ...e2b, Sandbox: e2b.Sandbox, newest: 'FileNotFoundError' in e2b }

const sandbox = await e2b.Sandbox.create('base', { timeoutMs: 240_000, metadata: { of: 'js' } })
const counts = { passed: 0, skipped: 0, failed: 0 }
for (const [name, check] of Object.entries({ ...commands, ...files, ...ports, ...sandboxes, ...watches })) {
  try {
    const lack = lacks(version, name)
    const skipped = lack ? `skipped: this version: ${lack}` : await check(sandbox, client)
    counts[skipped ? 'skipped' : 'passed'] += 1
    console.log(`${skipped ?? 'ok'}: ${name}`)
  } catch (error) {
    counts.failed += 1
    console.log(`FAILED: ${name}\n${error.stack}`)
  }
}
await sandbox.kill()
console.log(`${counts.passed} passed, ${counts.skipped} skipped, ${counts.failed} failed`)
process.exit(counts.failed ? 1 : 0)
