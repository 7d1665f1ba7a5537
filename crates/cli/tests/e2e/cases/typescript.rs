//! The programs of [`crate::cases`] in TypeScript.

use crate::cases::Sources;

pub const SOURCES: Sources = Sources {
    language: "typescript",
    extension: "ts",
    hello: r#"const text: string = 'hello'
console.log(text)"#,
    exit_3: "process.exitCode = 3 as number",
    stderr: r#"console.log('out')
console.error('err')"#,
    echo: r#"import { stdin, stdout } from 'node:process'
stdin.pipe(stdout)"#,
    arguments: r#"const args: string[] = process.argv.slice(2)
for (const arg of args) console.log(`<${arg}>`)"#,
    exception: r#"type Text = string
function inner(text: Text): never {
  throw new TypeError(text)
}
inner('no good')
"#,
    exception_says: (
        1,
        &["main.ts:3", "TypeError: no good", "at inner (", "main.ts:5"],
    ),
    endless: r#"console.log('begun' as string)
for (;;);"#,
    hog: r#"const kept: Buffer[] = []
for (;;) kept.push(Buffer.alloc(16 << 20, 'x'))"#,
    broken: r#"const text: string = 'never'
console.log(text
"#,
    broken_says: ("compile", 1, &["ERROR", "main.ts:3:0"]),
    bytes: r#"const bytes: Uint8Array = Buffer.from([0, 255, 254, 10])
process.stdout.write(Buffer.concat([Buffer.from('ü€😀'), bytes]))"#,
    flood: "for (let i: number = 0; i < 50; i++) process.stdout.write('x'.repeat(100000))",
    trespass: r#"
import * as fs from 'node:fs'
function attempt(name: string, action: () => unknown): void {
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
attempt('root', () => fs.writeFileSync('/new', 'x'))"#,
    network: r#"
import { connect } from 'node:net'
import { promises as dns } from 'node:dns'
const reach = (port: number, host: string) =>
  new Promise<void>((resolve, reject) => connect({ port, host }, resolve).on('error', reject))
async function attempt(name: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action()
    console.log(name, 'worked')
  } catch (error) {
    console.log(name, (error as Error).message)
  }
}
// At the top of a module.
await attempt('public', () => reach(53, '8.8.8.8'))
await attempt('metadata', () => reach(80, '169.254.169.254'))
await attempt('lookup', () => dns.lookup('example.com'))"#,
    bomb: r#"
import { spawn } from 'node:child_process'
function more(): void {
  for (let i = 0; i < 16; i++) spawn(process.execPath, [__filename], { stdio: 'ignore' }).on('error', () => {})
  setTimeout(more, 10)
}
more()"#,
    daemon: r#"
import { spawn } from 'node:child_process'
const daemon: string = `process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {}); setInterval(() => {}, 1000)`
spawn(process.execPath, ['-e', daemon], { detached: true, stdio: 'ignore' }).unref()
console.log('started')"#,
};
