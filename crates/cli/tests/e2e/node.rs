//! The programs of [`crate::cases`] in JavaScript.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "node",
    extension: "js",
    hello: "console.log('hello')",
    exit_3: "process.exitCode = 3",
    stderr: "console.log('out'); console.error('err')",
    echo: "process.stdin.pipe(process.stdout)",
    arguments: "for (const arg of process.argv.slice(2)) console.log(`<${arg}>`)",
    exception: "function inner() {\n  throw new TypeError('no good')\n}\ninner()\n",
    exception_says: (
        1,
        &[
            "main.js:2",
            "TypeError: no good",
            "at inner (",
            "main.js:4:1)",
        ],
    ),
    endless: "console.log('begun'); for (;;);",
    hog: "const kept = []\nfor (;;) kept.push(Buffer.alloc(16 << 20, 'x'))",
    broken: "console.log('never')\nfunction broken( {\n",
    broken_says: (
        "execute",
        1,
        &["main.js:", "SyntaxError: Unexpected end of input"],
    ),
    bytes: r"process.stdout.write(Buffer.concat([Buffer.from('ü€😀'), Buffer.from([0, 255, 254, 10])]))",
    flood: "for (let i = 0; i < 50; i++) process.stdout.write('x'.repeat(100000))",
    trespass: r"
const fs = require('node:fs')
function attempt(name, action) {
  try {
    action()
    console.log(name, 'allowed')
  } catch {
    console.log(name, 'refused')
  }
}
attempt('passwd', () => fs.readFileSync('/etc/passwd'))
attempt('tmp', () => fs.writeFileSync('/tmp/new', 'x'))
attempt('shadow', () => fs.readFileSync('/etc/shadow'))
attempt('usr', () => fs.writeFileSync('/usr/new', 'x'))
attempt('etc', () => fs.writeFileSync('/etc/new', 'x'))
attempt('root', () => fs.writeFileSync('/new', 'x'))",
    network: r"
const { connect } = require('node:net')
const { lookup } = require('node:dns').promises
const reach = (port, host) => new Promise((resolve, reject) => connect({ port, host }, resolve).on('error', reject))
async function attempt(name, action) {
  try {
    await action()
    console.log(name, 'worked')
  } catch (error) {
    console.log(name, error.message)
  }
}
async function main() {
  await attempt('public', () => reach(53, '8.8.8.8'))
  await attempt('metadata', () => reach(80, '169.254.169.254'))
  await attempt('lookup', () => lookup('example.com'))
}
main()",
    bomb: r"
const { spawn } = require('node:child_process')
function more() {
  for (let i = 0; i < 16; i++) spawn(process.execPath, [__filename], { stdio: 'ignore' }).on('error', () => {})
  setTimeout(more, 10)
}
more()",
    daemon: r"
const { spawn } = require('node:child_process')
const daemon = `process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {}); setInterval(() => {}, 1000)`
spawn(process.execPath, ['-e', daemon], { detached: true, stdio: 'ignore' }).unref()
console.log('started')",
};
