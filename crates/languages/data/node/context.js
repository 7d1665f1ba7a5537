'use strict';
// A context's interpreter: one order after another, what cells declare stays.
//
// Cells are evaluated as a debugger's console does (V8's REPL mode): `let` and `const` may be
// declared again, `await` stands anywhere, the last value is the cell's. `import` is made a call, for V8
// knows it in modules alone. An order is a line of JSON on descriptor 3, an answer one on 4. Descriptors 1 and 2,
// 5 and 6, 7 and 8, 9 and 10 are lanes for what cells print: a cell whose lane is still held by what an earlier one
// left running takes another. What a timer or promise of an earlier cell prints is told with its cell's name.
// With the argument `typescript` cells are TypeScript: types are taken out, not checked.

const childProcess = require('child_process');
const fs = require('fs');
const net = require('net');
const util = require('util');
const vm = require('vm');
const { AsyncLocalStorage } = require('async_hooks');
const { Session } = require('inspector');
const { Writable } = require('stream');
const Module = require('module');

const WITHOUT_TYPES = process.argv[2] === 'typescript' ? withoutTypes : (code) => code;

const ORDERS = 3;
const CONTROL = 4;
const LANES = [[1, 2], [5, 6], [7, 8], [9, 10]];
const STREAMS = { 1: 'stdout', 2: 'stderr' };
// What one value may have, in bytes as they are sent; what is over is named and left out.
const MAX_SHOWN = 1 << 20;
// What all that one value is shown as may have, as it is sent: the host takes lines of 2 MiB.
const MAX_BUNDLE = (2 << 20) - (64 << 10);
const MAX_TRACEBACK = 64 << 10;
// Bytes of late output in one answer.
const MAX_LATE = 32 << 10;
// How long a cell waits for its own timers and requests, that what they print is its output.
const LINGER_MS = 1000;
const LOOK_AGAIN_MS = 5;
// What keeps a process alive and awaits others.
const SERVES = new Set(['TCPServerWrap', 'PipeServerWrap', 'TCPSocketWrap', 'UDPWrap']);
// Of the image; nothing that a program would find by a name.
const LIBRARY = '/usr/lib/node_modules/';
// What `import` becomes; no program has this name by chance.
const IMPORT = '__import_of_the_context';
const TAKE = Symbol.for('context.take');
const DISPLAY = Symbol.for('Jupyter.display');
const BREAKABLE = new vm.Script(`globalThis[Symbol.for('${TAKE.description}')]()`);

// The cell that a timer, a promise or a request is of.
const owner = new AsyncLocalStorage();
// The cell that runs, and its lane.
let running = null;
let lane = 0;

function say(answer) {
  // JSON.stringify writes a lone surrogate as an escape, which is no text to the host.
  const text = JSON.stringify(answer).replace(/\\\\|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, (found) => found === '\\\\' ? found : '\\ufffd');
  write(CONTROL, Buffer.from(text + '\n'));
}

function write(fd, data) {
  for (let sent = 0; sent < data.length;) {
    try {
      sent += fs.writeSync(fd, data, sent);
    } catch (error) {
      // A child may have made the pipe one that does not wait.
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

// What `process.stdout` is: the running cell's output, or late output of the cell that the writer is of.
function stream(fd) {
  const out = new Writable({
    decodeStrings: true,
    write(data, _, done) {
      const cell = owner.getStore();
      if (cell !== undefined && cell === running) {
        write(LANES[lane][fd - 1], data);
      } else {
        for (let at = 0; at < data.length; at += MAX_LATE) {
          const part = data.subarray(at, at + MAX_LATE).toString('base64');
          say({ type: 'output', cell: cell ?? null, stream: STREAMS[fd], base64: part });
        }
      }
      done();
    },
  });
  return Object.assign(out, { fd, isTTY: false, _type: 'pipe', destroySoon() {}, _destroy(_, done) { done(); } });
}

// The lane's descriptors where a child is to have this process' own.
function inLane(stdio) {
  const own = (each, at) => {
    const fd = each === 'inherit' ? at : each?.fd ?? each;
    return fd === 1 || fd === 2 ? LANES[lane][fd - 1] : each;
  };
  if (stdio === 'inherit') return ['inherit', LANES[lane][0], LANES[lane][1]];
  return Array.isArray(stdio) ? stdio.map(own) : stdio;
}

function takeChildren() {
  const { spawn } = childProcess.ChildProcess.prototype;
  childProcess.ChildProcess.prototype.spawn = function (options) {
    return spawn.call(this, { ...options, stdio: inLane(options.stdio) });
  };
  for (const name of ['spawnSync', 'execSync', 'execFileSync']) {
    const plain = childProcess[name];
    childProcess[name] = (...args) => {
      const last = args.at(-1);
      if (last?.stdio) args[args.length - 1] = { ...last, stdio: inLane(last.stdio) };
      return plain(...args);
    };
  }
}

// A lane that only this process holds; `null` when there is none, and the first is used for nobody.
function choose() {
  const held = heldByOthers();
  const isFree = (each) => !LANES[each].some((fd) => held.has(fs.fstatSync(fd).ino));
  const free = [lane, 0, 1, 2, 3].find(isFree);
  lane = free ?? 0;
  return free ?? null;
}

function heldByOthers() {
  const held = new Set();
  for (const pid of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      for (const fd of ['1', '2']) held.add(fs.statSync(`/proc/${pid}/fd/${fd}`).ino);
    } catch { /* it ended, or has closed them */ }
  }
  return held;
}

function show(type, data) {
  const kept = {};
  for (const [kind, value] of Object.entries(data)) {
    const text = typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('base64') : JSON.stringify(value) ?? '';
    const size = Buffer.byteLength(text);
    kept[kind] = size <= MAX_SHOWN ? text : `<${kind} of ${size} bytes left out>`;
  }
  fit(kept);
  say({ type, cell: owner.getStore() ?? null, data: kept });
}

// Leaves the largest out, until the rest can be sent.
function fit(kept) {
  const sizes = Object.entries(kept).map(([kind, text]) => [Buffer.byteLength(JSON.stringify(text)), kind]);
  sizes.sort(([one], [other]) => one - other);
  let sum = sizes.reduce((before, [size]) => before + size, 0);
  while (sum > MAX_BUNDLE) {
    const [size, kind] = sizes.pop();
    kept[kind] = `<${kind} of ${size} bytes left out>`;
    sum -= size;
  }
}

// MIME type -> data of a value, or the promise of it.
function bundle(value) {
  const plain = { 'text/plain': util.inspect(value) };
  if (value == null || typeof value[DISPLAY] !== 'function') return plain;
  const rich = value[DISPLAY]();
  return rich instanceof Promise ? rich.then((shown) => ({ ...plain, ...shown })) : { ...plain, ...rich };
}

// Show a value where the cell is, with all it can say of itself.
function display(value, type = 'display') {
  const shown = bundle(value);
  return shown instanceof Promise ? shown.then((data) => show(type, data)) : show(type, shown);
}

function described(error) {
  const thrown = error instanceof Error || (error && typeof error.stack === 'string');
  let traceback = thrown ? String(error.stack) : `Uncaught ${util.inspect(error)}`;
  // What is below the cell is this file's.
  traceback = traceback.split(/\n    at (?:Session\.post \(node:inspector|parseTypeScript \(node:internal)/)[0];
  if (traceback.length > MAX_TRACEBACK) traceback = traceback.slice(0, MAX_TRACEBACK);
  return {
    name: thrown ? String(error.name) : typeof error,
    value: (thrown ? String(error.message) : util.inspect(error)).slice(0, MAX_TRACEBACK),
    traceback,
  };
}

// A program's own getters may throw.
function describedOrNot(error) {
  try {
    return described(error);
  } catch {
    return { name: 'Error', value: '<it cannot say>', traceback: '' };
  }
}

const inspector = new Session();
inspector.connect();
const post = (method, parameters) => new Promise((resolve, reject) => {
  inspector.post(method, parameters, (error, result) => error ? reject(error) : resolve(result));
});

// What `begin` promises, or SIGINT: as in Node's own shell it breaks a loop as well as a wait. What was
// waited for goes on by itself.
async function unlessInterrupted(begin, ready) {
  let interrupt;
  const interrupted = new Promise((_, reject) => {
    interrupt = () => reject(Object.assign(new Error('Script execution was interrupted by `SIGINT`'), { stack: '' }));
  });
  let begun;
  // `ready` is said from where a signal breaks what runs.
  globalThis[TAKE] = () => {
    ready();
    begun = begin();
  };
  process.on('SIGINT', interrupt);
  try {
    try {
      BREAKABLE.runInThisContext({ breakOnSigint: true });
    } catch {
      interrupt();
    }
    return await Promise.race([interrupted, begun]);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

// What `import` means to a file in the work folder.
function importer() {
  const module = new Module('/work/context.js');
  Object.assign(module, { filename: module.id, paths: Module._nodeModulePaths('/work') });
  module._compile('module.exports = (name, options) => import(name, options);', module.id);
  return module.exports;
}

// A declaration as the `const` that comes to the same.
function declared({ specifiers, source }) {
  const call = `await ${IMPORT}(${source.raw})`;
  const all = specifiers.find(({ type }) => type === 'ImportNamespaceSpecifier');
  const named = specifiers.filter((specifier) => specifier !== all).map(({ imported, local }) =>
    `${imported ? imported.raw ?? imported.name : 'default'}: ${local.name}`);
  const names = [...all ? [all.local.name] : [], ...named.length ? [`{ ${named.join(', ')} }`] : []];
  return names.length ? names.map((name) => `const ${name} = ${call};`).join(' ') : `${call};`;
}

// The cell with its imports made calls; as it is, where it cannot be read: V8 says why.
function withImports(code) {
  if (!/\bimport\b/.test(code)) return code;
  let found = [];
  try {
    const { parse } = require(`${LIBRARY}acorn`);
    const { simple } = require(`${LIBRARY}acorn-walk`);
    const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowAwaitOutsideFunction: true });
    simple(program, {
      ImportDeclaration: (node) => found.push([node.start, node.end, declared(node)]),
      ImportExpression: (node) => found.push([node.start, node.start + 'import'.length, IMPORT]),
    });
  } catch {
    return code;
  }
  found.sort(([one], [other]) => other - one);
  for (const [start, end, text] of found) code = code.slice(0, start) + text + code.slice(end);
  return code;
}

// A TypeScript cell as JavaScript. What is more than types (enums, parameter properties) is written anew; where nothing
// of that is, each line stays where it was.
function withoutTypes(code) {
  try {
    return Module.stripTypeScriptTypes(code);
  } catch (error) {
    if (error.code !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') throw error;
    return Module.stripTypeScriptTypes(code, { mode: 'transform' });
  }
}

// As Node's own shell reads it: what begins like an object is one, if it can be.
function asWritten(code) {
  if (!/^\s*\{/.test(code) || /;\s*$/.test(code)) return code;
  try {
    new vm.Script(`(${code.trim()}\n)`);
    return `(${code.trim()}\n)`;
  } catch {
    return code;
  }
}

// The cell as V8 reads it. One that cannot be made so has begun all the same.
function readable(code, ready) {
  try {
    return withImports(asWritten(WITHOUT_TYPES(code)));
  } catch (error) {
    ready();
    throw error;
  }
}

let count = 0;
// Evaluates a cell; its value, or throws what it threw. In a box, as what is returned from an async
// function is awaited.
async function evaluate(code, ready) {
  count += 1;
  const expression = `${readable(code, ready)}\n//# sourceURL=cell-${count}`;
  const answer = await unlessInterrupted(() => post('Runtime.evaluate', { expression, replMode: true, objectGroup: 'cell' }), ready);
  const remote = answer.exceptionDetails ? answer.exceptionDetails.exception : answer.result;
  const box = await local(remote);
  await post('Runtime.releaseObjectGroup', { objectGroup: 'cell' });
  if (answer.exceptionDetails) throw box.value;
  return box;
}

// The value that the inspector speaks of, in a box.
async function local(remote) {
  if (!remote.objectId) {
    return { value: remote.unserializableValue !== undefined ? (0, eval)(remote.unserializableValue) : remote.value };
  }
  let taken;
  globalThis[TAKE] = (value) => { taken = value; };
  await post('Runtime.callFunctionOn', {
    functionDeclaration: `(value) => globalThis[Symbol.for('${TAKE.description}')](value)`,
    objectId: remote.objectId,
    arguments: [{ objectId: remote.objectId }],
  });
  delete globalThis[TAKE];
  return { value: taken };
}

// What is at work besides the session itself.
function atWork() {
  return process.getActiveResourcesInfo().filter((kind) => !SERVES.has(kind)).length;
}

// Waits a while for timers and requests that were not there before: a script would, too.
async function linger(before) {
  const until = performance.now() + LINGER_MS;
  while (atWork() > before && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

// Runs one cell and says what comes of it.
async function carryOut(order) {
  const before = order.env_scope === 'cell' ? Object.keys(order.env).map((name) => [name, process.env[name]]) : [];
  Object.assign(process.env, order.env);
  process.argv.splice(1, Infinity, '', ...order.args);
  takeInput(Buffer.from(order.stdin, 'base64'));
  const [cell, chosen] = [order.id, choose()];
  running = cell;
  const exitCode = await owner.run(cell, () => ran(order.code.replace(/^\ufeff/, ''), () => say({ type: 'begun', cell, lane: chosen })));
  running = null;
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  say({ type: 'end', cell, exit_code: exitCode });
}

async function ran(code, ready) {
  const before = atWork();
  try {
    const { value } = await evaluate(code, ready);
    if (value !== undefined) await display(value, 'result');
    await linger(before);
    // A rejection that nobody handles is told once the promises are through.
    await new Promise(setImmediate);
    return 0;
  } catch (error) {
    say({ type: 'error', cell: running, ...describedOrNot(error) });
    return 1;
  }
}

// Each cell's standard input is a new file, which has no name any more.
function takeInput(data) {
  fs.closeSync(0);
  if (data.length === 0) {
    // Gets the lowest free number: 0.
    fs.openSync('/dev/null');
  } else {
    const name = `/tmp/.stdin-${process.pid}`;
    fs.writeFileSync(name, data, { mode: 0o600 });
    fs.openSync(name);
    fs.unlinkSync(name);
  }
  let input;
  Object.defineProperty(process, 'stdin', {
    configurable: true, enumerable: true, get: () => input ??= fs.createReadStream(null, { fd: 0, autoClose: false }),
  });
}

// Carries out orders until there are no more.
async function serve() {
  const module = { exports: {} };
  Object.assign(globalThis, { require: Module.createRequire('/work/main.js'), display: (value) => display(value), module, exports: module.exports });
  Object.defineProperty(globalThis, IMPORT, { value: importer() });
  for (const [fd, name] of Object.entries(STREAMS)) {
    const own = stream(Number(fd));
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => own });
  }
  takeChildren();
  // Neither a late interrupt nor a cell's loose ends end the context.
  process.on('SIGINT', () => {});
  process.on('uncaughtException', (error) => console.error(error));
  let line = [];
  for await (let bytes of new net.Socket({ fd: ORDERS, readable: true, writable: false })) {
    for (let end; (end = bytes.indexOf(10)) >= 0; bytes = bytes.subarray(end + 1)) {
      const whole = Buffer.concat([...line, bytes.subarray(0, end)]);
      line = [];
      await carryOut(JSON.parse(whole));
    }
    line.push(bytes);
  }
}

serve().then(() => process.exit(0));
