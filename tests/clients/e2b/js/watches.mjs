// What changes in a folder, streamed; terminals.
import assert from 'node:assert/strict'
import { bytes, name, text, until } from './tools.mjs'

/** Watches a folder of its own that has a file; the events so far, and how to end it. */
async function watched(sandbox, options = {}) {
  const folder = name()
  await sandbox.files.write(`${folder}/old/a`, 'old')
  const events = []
  const watch = sandbox.files.watchDir ?? sandbox.files.watch
  const handle = await watch.call(sandbox.files, folder, (event) => events.push(event), options)
  return { folder, events, has: (told) => events.some((event) => `${event.type} ${event.name}` === told), stop: () => handle.stop() }
}

async function terminal(sandbox, options = {}) {
  const seen = { text: '' }
  const onData = (data) => (seen.text += text(data))
  const handle = await sandbox.pty.create({ cols: 80, rows: 24, onData, ...options })
  const send = (line, pid = handle.pid) => (sandbox.pty.sendInput ?? sandbox.pty.sendStdin).call(sandbox.pty, pid, bytes(line))
  return { seen, onData, handle, send }
}

export const checks = {
  async 'changes are streamed'(sandbox) {
    const watch = await watched(sandbox)
    await sandbox.files.write(`${watch.folder}/a`, 'x')
    await until(() => watch.has('create a') && watch.has('write a'))
    await watch.stop()
  },
  async 'folders below are watched where asked'(sandbox) {
    const watch = await watched(sandbox, { recursive: true })
    await sandbox.files.write(`${watch.folder}/old/a`, 'x')
    await sandbox.files.makeDir(`${watch.folder}/new`)
    await sandbox.files.write(`${watch.folder}/new/b`, 'x')
    await until(() => ['write old/a', 'create new', 'write new/b'].every(watch.has))
    await watch.stop()
  },
  async 'a change tells of its entry where asked'(sandbox, { newest }) {
    if (!newest) return 'skipped: this version cannot'
    const watch = await watched(sandbox, { recursive: true, includeEntry: true })
    await sandbox.files.write(`${watch.folder}/old/a`, 'newer')
    await until(() => watch.has('write old/a'))
    const { entry } = watch.events.find((event) => event.type === 'write')
    assert.deepEqual([entry.name, entry.path, entry.type, entry.size], ['a', `/home/user/${watch.folder}/old/a`, 'file', 5])
    await watch.stop()
  },
  async 'mounts of a network may be asked for'(sandbox, { newest }) {
    if (!newest) return 'skipped: this version cannot'
    const watch = await watched(sandbox, { allowNetworkMounts: true })
    await sandbox.files.write(`${watch.folder}/a`, 'x')
    await until(() => watch.has('write a'))
    await watch.stop()
  },
  async 'what cannot be watched is said so'(sandbox, { NotFoundError, InvalidArgumentError }) {
    const watch = sandbox.files.watchDir ?? sandbox.files.watch
    await assert.rejects(watch.call(sandbox.files, name(), () => {}), NotFoundError)
    const path = name()
    await sandbox.files.write(path, 'no folder')
    await assert.rejects(watch.call(sandbox.files, path, () => {}), InvalidArgumentError)
  },
  async 'a terminal talks and has a size'(sandbox) {
    const { seen, handle, send } = await terminal(sandbox, { envs: { ABC: '1 2 3' }, cwd: '/' })
    await sandbox.pty.resize(handle.pid, { cols: 100, rows: 30 })
    await send('echo [$ABC] $PWD; stty size; exit\n')
    assert.equal((await handle.wait()).exitCode, 0)
    assert.match(seen.text, /\[1 2 3\] \//)
    assert.match(seen.text, /30 100/)
  },
  async 'a terminal is connected to'(sandbox) {
    if (!sandbox.pty.connect) return 'skipped: this version cannot'
    const { handle, send, seen, onData } = await terminal(sandbox, { envs: { FOO: 'bar' } })
    await handle.disconnect()
    const again = await sandbox.pty.connect(handle.pid, { onData })
    assert.equal(again.pid, handle.pid)
    await send('echo [$FOO]; exit\n')
    assert.equal((await again.wait()).exitCode, 0)
    assert.match(seen.text, /\[bar\]/)
  },
  async 'a terminal is killed'(sandbox) {
    const { handle } = await terminal(sandbox)
    assert(await sandbox.pty.kill(handle.pid))
    await assert.rejects(sandbox.commands.run(`kill -0 ${handle.pid}`))
    assert.equal(await sandbox.pty.kill(999999), false)
  },
}
