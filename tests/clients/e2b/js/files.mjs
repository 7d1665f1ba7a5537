// Files: written, read, told of, moved, removed; signed addresses; what is attached.
import assert from 'node:assert/strict'
import { bytes, name, whole } from './tools.mjs'

const NOT_FOUND = /not found|no such|does not exist/i
const PAIRS = { author: 'mish', purpose: 'a test' }

/** Signed addresses of a sandbox: each use of one, as a status. */
async function used(url, content) {
  if (content === undefined) return (await fetch(url)).status
  const form = new FormData()
  form.append('file', new Blob([content]), 'any')
  return (await fetch(url, { method: 'POST', body: form })).status
}

export const checks = {
  async 'files are written and read'(sandbox) {
    const path = name()
    const info = await sandbox.files.write(`${path}/a.txt`, 'text ü')
    assert.deepEqual([info.path, info.name, info.type], [`/home/user/${path}/a.txt`, 'a.txt', 'file'])
    assert.equal(await sandbox.files.read(`${path}/a.txt`), 'text ü')
    assert.deepEqual(await sandbox.files.read(`${path}/a.txt`, { format: 'bytes' }), bytes('text ü'))
    assert.equal(await (await sandbox.files.read(`${path}/a.txt`, { format: 'blob' })).text(), 'text ü')
    assert.equal(await whole(await sandbox.files.read(`${path}/a.txt`, { format: 'stream' })), 'text ü')
    await sandbox.files.write(`${path}/a.txt`, 'short')
    assert.equal(await sandbox.files.read(`${path}/a.txt`), 'short')
  },
  async 'one that is not there is not read'(sandbox, { NotFoundError, newest }) {
    for (const format of ['text', 'bytes', 'blob', ...(newest ? ['stream'] : [])]) {
      await assert.rejects(sandbox.files.read(name(), { format }), (error) => {
        assert.match(error.message, NOT_FOUND)
        return error instanceof NotFoundError
      })
    }
  },
  async 'an empty file is empty in each form'(sandbox, { newest }) {
    if (!newest) return 'skipped: this version is right for text alone'
    const path = name()
    await sandbox.commands.run(`touch ${path}`)
    assert.equal(await sandbox.files.read(path), '')
    assert.equal((await sandbox.files.read(path, { format: 'bytes' })).length, 0)
    assert.equal((await sandbox.files.read(path, { format: 'blob' })).size, 0)
    assert.equal(await whole(await sandbox.files.read(path, { format: 'stream' })), '')
  },
  async 'a large file comes back'(sandbox) {
    const path = name()
    const data = new Uint8Array(5_000_000).map((_, at) => at % 251)
    await sandbox.files.write(path, data.buffer)
    assert.deepEqual(await sandbox.files.read(path, { format: 'bytes' }), data)
  },
  async 'many are written at once'(sandbox, { newest }) {
    const folder = name()
    const write = (files) => (newest ? sandbox.files.writeFiles(files) : sandbox.files.write(files))
    if (newest) assert.deepEqual(await write([]), [])
    const kinds = ['text', bytes('bytes').buffer, new Blob(['of a blob'])]
    const files = kinds.map((data, n) => ({ path: `${folder}/below/${n}`, data }))
    for (let again = 0; again < 2; again += 1) {
      const infos = await write(files)
      assert.deepEqual(infos.map((info) => info.path), files.map(({ path }) => `/home/user/${path}`))
    }
    const read = await Promise.all(files.map(({ path }) => sandbox.files.read(path)))
    assert.deepEqual(read, ['text', 'bytes', 'of a blob'])
  },
  async 'streams are written, packed and plain'(sandbox, { newest }) {
    if (!newest) return 'skipped: this version cannot'
    for (const gzip of [false, true]) {
      const path = name()
      const data = 'streamed '.repeat(20_000)
      await sandbox.files.write(path, new Blob([data]).stream(), { useOctetStream: true, gzip })
      assert.equal(await sandbox.files.read(path), data)
    }
  },
  async 'gzip goes both ways'(sandbox, { newest }) {
    if (!newest) return 'skipped: this version cannot'
    const [path, data] = [name(), 'packed '.repeat(20_000)]
    await sandbox.files.write(path, data, { gzip: true })
    assert.equal(await sandbox.files.read(path), data)
    assert.equal(await sandbox.files.read(path, { gzip: true }), data)
    assert.deepEqual(await sandbox.files.read(path, { gzip: true, format: 'bytes' }), bytes(data))
    const many = [0, 1, 2].map((n) => ({ path: `${path}-${n}`, data: `file ${n}` }))
    assert.equal((await sandbox.files.writeFiles(many, { gzip: true })).length, 3)
    assert.equal(await sandbox.files.read(many[2].path), 'file 2')
  },
  async 'folders are made, listed, moved, removed'(sandbox) {
    const path = name()
    assert(await sandbox.files.makeDir(`${path}/folder/below`))
    assert.equal(await sandbox.files.makeDir(`${path}/folder`), false)
    await sandbox.files.write(`${path}/folder/b`, 'x')
    const listed = async (options) => (await sandbox.files.list(path, options)).map((one) => one.name)
    assert.deepEqual(await listed(), ['folder'])
    assert.deepEqual(await listed({ depth: 2 }), ['folder', 'b', 'below'])
    await assert.rejects(sandbox.files.list(path, { depth: 0 }))
    const moved = await sandbox.files.rename(`${path}/folder/b`, `${path}/folder/c`)
    assert.equal(moved.path, `/home/user/${path}/folder/c`)
    assert.deepEqual([await sandbox.files.exists(`${path}/folder/b`), await sandbox.files.exists(`${path}/folder/c`)], [false, true])
    await assert.rejects(sandbox.files.rename(name(), name()), NOT_FOUND)
    await sandbox.files.remove(path)
    await sandbox.files.remove(path)
    assert.equal(await sandbox.files.exists(path), false)
  },
  async 'an entry is told of, and in a list'(sandbox, { NotFoundError }) {
    const path = name()
    await sandbox.files.write(`${path}/file.txt`, 'test')
    await sandbox.files.makeDir(`${path}/sub`)
    await sandbox.commands.run('ln -s file.txt link', { cwd: path })
    const file = await sandbox.files.getInfo(`${path}/file.txt`)
    assert.deepEqual([file.type, file.size, file.mode, file.permissions, file.owner], ['file', 4, 0o644, '-rw-r--r--', 'user'])
    assert(file.modifiedTime instanceof Date)
    const folder = await sandbox.files.getInfo(`${path}/sub`)
    assert.deepEqual([folder.type, folder.mode, folder.permissions], ['dir', 0o755, 'drwxr-xr-x'])
    const link = await sandbox.files.getInfo(`${path}/link`)
    assert.deepEqual([link.type, link.symlinkTarget], ['file', `/home/user/${path}/file.txt`])
    const listed = await sandbox.files.list(path)
    assert.deepEqual(listed.map((one) => [one.name, one.type]), [['file.txt', 'file'], ['link', 'file'], ['sub', 'dir']])
    assert.deepEqual([listed[0].permissions, listed[0].size], ['-rw-r--r--', 4])
    await assert.rejects(sandbox.files.getInfo(name()), NotFoundError)
  },
  async 'what is attached goes with the file'(sandbox, { newest }) {
    if (!newest) return 'skipped: this version attaches nothing'
    const path = name()
    for (const useOctetStream of [false, true]) {
      const info = await sandbox.files.write(path, 'x', { metadata: PAIRS, useOctetStream })
      assert.deepEqual(info.metadata, PAIRS)
    }
    assert.deepEqual((await sandbox.files.getInfo(path)).metadata, PAIRS)
    assert.deepEqual((await sandbox.files.rename(path, `${path}-b`)).metadata, PAIRS)
    assert.equal((await sandbox.files.write(`${path}-b`, 'y')).metadata, undefined)
    assert.equal((await sandbox.files.getInfo(`${path}-b`)).metadata, undefined)
    const many = [0, 1].map((n) => ({ path: `${path}-many/${n}`, data: 'x' }))
    assert.deepEqual((await sandbox.files.writeFiles(many, { metadata: PAIRS })).map((info) => info.metadata), [PAIRS, PAIRS])
    assert.deepEqual((await sandbox.files.list(`${path}-many`)).map((info) => info.metadata), [PAIRS, PAIRS])
    await sandbox.commands.run(`python3 -c "import os; os.setxattr('${path}-b', 'user.e2b.author', b'mish')"`)
    assert.deepEqual((await sandbox.files.getInfo(`${path}-b`)).metadata, { author: 'mish' })
    for (const wrong of [{ 'a b': 'x' }, { '': 'x' }, { a: 'x\n' }]) {
      await assert.rejects(sandbox.files.write(`${path}-none`, 'x', { metadata: wrong }))
    }
    assert.equal(await sandbox.files.exists(`${path}-none`), false)
  },
  async 'signed addresses are read and written'(sandbox) {
    if (!sandbox.envdAccessToken) return 'skipped: this version has no tokens'
    await sandbox.files.write('signed.txt', 'signed')
    for (const options of [{}, { useSignatureExpiration: 100 }]) {
      const url = await sandbox.downloadUrl('signed.txt', options)
      assert.equal(await (await fetch(url)).text(), 'signed')
    }
    const up = await sandbox.uploadUrl('up.txt', { useSignatureExpiration: 100 })
    assert.equal(await used(up, 'up'), 200)
    assert.equal(await sandbox.files.read('up.txt'), 'up')
    assert.equal(await used(await sandbox.downloadUrl('signed.txt', { useSignatureExpiration: -100 })), 401)
    // With its content in one piece: an upload that is refused is not read, and a form that comes later meets a closed door.
    const refused = await fetch(up.replace('up.txt', 'other.txt'), { method: 'POST', body: 'x' })
    assert.equal(refused.status, 401)
  },
}
