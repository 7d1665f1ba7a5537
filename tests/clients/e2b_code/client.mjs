// E2B's code interpreter by its JavaScript client, whose folder is the argument: node client.mjs FOLDER
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const require = createRequire(join(resolve(process.argv[2]), 'package.json'))
const { Sandbox } = require('@e2b/code-interpreter')

const sandbox = await Sandbox.create({ timeoutMs: 120_000 })
let count = 0
const check = (got, want) => { assert.deepEqual(got, want); count += 1 }
try {
  let execution = await sandbox.runCode('1 + 1')
  check([execution.text, execution.executionCount], ['2', 1])

  const live = []
  // Each chunk of bytes is decoded by itself, and lines are split at whatever ends one.
  execution = await sandbox.runCode("print('ü\\u2028🙂' * 20000)\n{'a': [1, None]}", { onStdout: ({ line }) => live.push(line) })
  check(execution.logs.stdout.join(''), 'ü\u2028🙂'.repeat(20000) + '\n')
  check(live, execution.logs.stdout)
  check(execution.results[0].json, { a: [1, null] })

  execution = await sandbox.runCode('console.log("hi"); await Promise.resolve(7)', { language: 'javascript' })
  check([execution.logs.stdout, execution.text], [['hi\n'], '7'])
  check((await sandbox.runCode('const x: number = 4; x', { language: 'ts' })).text, '4')
  check((await sandbox.runCode('echo $FOO', { language: 'bash', envs: { FOO: 'bar' } })).logs.stdout, ['bar\n'])
  check((await sandbox.runCode('nope')).error.name, 'NameError')

  const context = await sandbox.createCodeContext({ language: 'python', cwd: '/tmp' })
  check((await sandbox.runCode('import os; x = 1; os.getcwd()', { context })).text, '/tmp')
  const languages = (await sandbox.listCodeContexts()).map(({ language }) => language)
  assert(languages.includes('python') && languages.includes('javascript'), languages)
  await sandbox.restartCodeContext(context)
  check((await sandbox.runCode('x', { context })).error.value, "name 'x' is not defined")
  await sandbox.removeCodeContext(context)
  // Why, this client does not say.
  await assert.rejects(sandbox.runCode('1', { language: 'java' }), /400/)

  const drawn = 'import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, float("nan")])\nplt.show()'
  execution = await sandbox.runCode(drawn)
  check([execution.results[0].chart.type, execution.results[0].chart.elements[0].points], ['line', [[1, 3], [2, null]]])
  execution = await sandbox.runCode('import pandas as pd\npd.DataFrame({"a": [1, float("nan")]})')
  check(execution.results[0].data, { a: [1, null] })

  await assert.rejects(sandbox.runCode('import time; time.sleep(60)', { timeoutMs: 1500 }))
  check((await sandbox.runCode('2 + 2', { timeoutMs: 20_000 })).text, '4')
} finally {
  await sandbox.kill()
}
console.log(`${count} checked`)
// Timers of the client would keep it for a minute.
process.exit(0)
