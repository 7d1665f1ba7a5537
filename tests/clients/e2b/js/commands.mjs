// Commands: run, followed, given input, listed, signalled.
import assert from 'node:assert/strict'
import { bytes, until } from './tools.mjs'

export const checks = {
  async 'a command prints'(sandbox) {
    const result = await sandbox.commands.run('echo hi; echo err >&2')
    assert.deepEqual([result.stdout, result.stderr, result.exitCode], ['hi\n', 'err\n', 0])
  },
  async 'any letters and lines come back'(sandbox) {
    for (const line of ['!@#$%^&*()_+', 'one\ntwo\nthree', 'ü🙂']) {
      assert.equal((await sandbox.commands.run(`printf '%s' '${line}'`)).stdout, line)
    }
  },
  async 'letters that come in pieces are whole'(sandbox, { newest }) {
    if (!newest) return 'skipped: this version decodes each piece by itself'
    const line = "printf '\\xf0\\x9f'; sleep 0.2; printf '\\x99\\x82 \\xe2'"
    assert.equal((await sandbox.commands.run(line)).stdout, '🙂 \ufffd')
  },
  async 'an exit code is an error'(sandbox) {
    await assert.rejects(sandbox.commands.run('exit 3'), (error) => error.exitCode === 3)
  },
  async 'output comes as it is printed'(sandbox) {
    const pieces = []
    await sandbox.commands.run('echo one; sleep 0.3; echo two', { onStdout: (data) => pieces.push(data) })
    assert.deepEqual(pieces, ['one\n', 'two\n'])
  },
  async 'a time that is long enough'(sandbox) {
    assert.equal((await sandbox.commands.run('echo fine', { timeoutMs: 10_000 })).exitCode, 0)
  },
  async 'a time that is too short ends it'(sandbox) {
    await assert.rejects(sandbox.commands.run('sleep 10', { timeoutMs: 1000 }))
  },
  async 'a time that is too short ends who follows'(sandbox) {
    const handle = await sandbox.commands.run('sleep 10', { timeoutMs: 1000, background: true })
    await assert.rejects(handle.wait())
  },
  async 'variables and folders'(sandbox) {
    const result = await sandbox.commands.run('echo $FOO $PWD', { envs: { FOO: 'bar' }, cwd: '/tmp' })
    assert.equal(result.stdout, 'bar /tmp\n')
    assert.equal((await sandbox.commands.run('echo [$FOO]')).stdout, '[]\n')
    const program = 'python3 -c "import os; print(os.environ[\'FOO\'])"'
    assert.equal((await sandbox.commands.run(program, { envs: { FOO: 'bar' } })).stdout, 'bar\n')
  },
  async 'variables of a sandbox'(_, { Sandbox }) {
    const other = await Sandbox.create('base', { timeoutMs: 60_000, envs: { FOO: 'bar' } })
    try {
      assert.equal((await other.commands.run('echo $FOO')).stdout, 'bar\n')
    } finally {
      await other.kill()
    }
  },
  async 'a command reads input'(sandbox) {
    for (const data of ['Hello, World!', '!@#$%^&*()_+', 'Hello,\nWorld!', 'ü']) {
      let seen = ''
      const handle = await sandbox.commands.run('cat', { background: true, stdin: true, onStdout: (piece) => (seen += piece) })
      await sandbox.commands.sendStdin(handle.pid, data)
      await until(() => seen === data)
      assert(await handle.kill())
    }
  },
  async 'input is bytes, or nothing, and ends'(sandbox) {
    if (!sandbox.commands.closeStdin) return 'skipped: this version cannot'
    const handle = await sandbox.commands.run('cat', { background: true, stdin: true })
    await sandbox.commands.sendStdin(handle.pid, '')
    await sandbox.commands.sendStdin(handle.pid, bytes('Hello, '))
    await handle.sendStdin('World!')
    await handle.closeStdin()
    assert.equal((await handle.wait()).stdout, 'Hello, World!')
  },
  async 'those that run are listed and killed'(sandbox) {
    const handle = await sandbox.commands.run('sleep 20', { background: true })
    const pids = (await sandbox.commands.list()).map((one) => one.pid)
    assert(pids.includes(handle.pid))
    assert(await sandbox.commands.kill(handle.pid))
    assert.equal(await sandbox.commands.kill(999999), false)
    await assert.rejects(handle.wait())
    await assert.rejects(sandbox.commands.run(`kill -0 ${handle.pid}`))
  },
  async 'one that runs is connected to'(sandbox) {
    const handle = await sandbox.commands.run('sleep 1; echo later', { background: true })
    const again = await sandbox.commands.connect(handle.pid)
    assert.equal(again.pid, handle.pid)
    assert.equal((await again.wait()).stdout, 'later\n')
  },
  async 'one that is not there is not connected to'(sandbox, { NotFoundError }) {
    await assert.rejects(sandbox.commands.connect(999999), NotFoundError)
  },
  async 'who goes hears no more, and ends nothing'(sandbox) {
    const seen = []
    const line = 'for n in 1 2 3 4; do echo $n; sleep 0.3; done; echo done > js-went.txt'
    const handle = await sandbox.commands.run(line, { background: true, onStdout: (data) => seen.push(data) })
    await until(() => seen.length > 0)
    await handle.disconnect()
    const heard = seen.length
    await sandbox.commands.run('until test -s js-went.txt; do sleep 0.1; done')
    assert.equal(seen.length, heard)
  },
  async 'the end of the sandbox is told'(_, { Sandbox }) {
    const other = await Sandbox.create('base', { timeoutMs: 60_000 })
    const handle = await other.commands.run('sleep 60', { background: true })
    await other.kill()
    await assert.rejects(handle.wait(), /killed|timeout/)
    await assert.rejects(other.commands.run('true'))
  },
}
