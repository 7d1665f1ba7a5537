// Sandboxes as a whole: made, listed, given time, connected to, ended.
import assert from 'node:assert/strict'
import { name } from './tools.mjs'

/** As many sandboxes of one mark as are asked for, for as long as `use` takes. */
async function marked(Sandbox, count, use) {
  const metadata = { mark: name() }
  const made = []
  try {
    for (let n = 0; n < count; n += 1) made.push(await Sandbox.create('base', { timeoutMs: 60_000, metadata }))
    await use(made, metadata)
  } finally {
    await Promise.all(made.map((one) => one.kill()))
  }
}

const ids = (all) => all.map((one) => one.sandboxId)

export const checks = {
  async 'it is told of, given time and connected to'(sandbox, { Sandbox }) {
    assert(await sandbox.isRunning())
    const info = await Sandbox.getInfo(sandbox.sandboxId)
    assert.deepEqual([info.sandboxId, info.templateId, info.state, info.metadata.of], [sandbox.sandboxId, 'base', 'running', 'js'])
    await sandbox.setTimeout(120_000)
    const again = await Sandbox.connect(sandbox.sandboxId)
    assert.equal((await again.commands.run('echo again')).stdout, 'again\n')
  },
  async 'they are listed by what was attached and by state'(_, { Sandbox }) {
    await marked(Sandbox, 1, async ([one], metadata) => {
      const listed = async (query) => ids(await Sandbox.list({ query }).nextItems())
      assert.deepEqual(await listed({ metadata }), [one.sandboxId])
      assert.deepEqual(await listed({ metadata, state: ['running'] }), [one.sandboxId])
      assert.deepEqual(await listed({ metadata, state: ['paused'] }), [])
      assert.deepEqual(await listed({ metadata: { mark: name() } }), [])
      assert(ids(await Sandbox.list().nextItems()).includes(one.sandboxId))
    })
  },
  async 'lists come in pages, the newest first'(_, { Sandbox }) {
    await marked(Sandbox, 2, async ([first, second], metadata) => {
      const pages = Sandbox.list({ query: { metadata }, limit: 1 })
      const seen = []
      while (pages.hasNext) seen.push(ids(await pages.nextItems()))
      assert.deepEqual(seen, [[second.sandboxId], [first.sandboxId]])
      assert.equal(pages.nextToken, undefined)
    })
  },
  async 'lists are ordered and filtered'(_, { Sandbox, newest }) {
    if (!newest) return 'skipped: this version cannot'
    await marked(Sandbox, 2, async ([first, second], metadata) => {
      const listed = async (query, more = {}) => ids(await Sandbox.list({ query: { metadata, ...query }, ...more }).nextItems())
      assert.deepEqual(await listed({}, { order: 'asc' }), ids([first, second]))
      const { startedAt } = await first.getInfo()
      assert.equal((await listed({ startedAfter: startedAt })).length, 2)
      assert.deepEqual(await listed({ startedAfter: new Date(startedAt.getTime() + 60_000) }), [])
      assert.equal((await listed({ template: 'base' })).length, 2)
      assert.deepEqual(await listed({ template: 'another' }), [])
    })
  },
  async 'its time is shortened and never by connecting'(_, { Sandbox }) {
    await marked(Sandbox, 1, async ([one]) => {
      const before = (await one.getInfo()).endAt
      await Sandbox.connect(one.sandboxId, { timeoutMs: 5000 })
      assert.deepEqual((await one.getInfo()).endAt, before)
      await Sandbox.connect(one.sandboxId, { timeoutMs: 200_000 })
      assert((await one.getInfo()).endAt > before)
      await one.setTimeout(1500)
      await one.setTimeout(60_000)
      await new Promise((next) => setTimeout(next, 3000))
      assert(await one.isRunning())
      await one.setTimeout(1000)
      await new Promise((next) => setTimeout(next, 3000))
      assert.equal(await one.isRunning(), false)
    })
  },
  async 'one that was killed is gone'(_, { Sandbox }) {
    await marked(Sandbox, 1, async ([other]) => {
      assert(await Sandbox.kill(other.sandboxId))
      assert.equal(await other.isRunning(), false)
      assert.equal(await Sandbox.kill(other.sandboxId), false)
      await assert.rejects(Sandbox.connect(other.sandboxId))
      await assert.rejects(other.commands.run('true'))
    })
  },
  async 'metrics are of now'(sandbox, { newest }) {
    const [metric] = await sandbox.getMetrics()
    assert(metric.cpuCount >= 1 && metric.memUsed > 0 && metric.memUsed < metric.memTotal)
    // Older versions do not send from when to when.
    if (!newest) return undefined
    const old = new Date(Date.now() - 3600_000)
    assert.deepEqual(await sandbox.getMetrics({ start: old, end: new Date(old.getTime() + 60_000) }), [])
  },
}
