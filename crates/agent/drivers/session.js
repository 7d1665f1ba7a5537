'use strict';
// A session's interpreter: one order after another, what cells declare stays.
//
// Cells are evaluated as a debugger's console does (V8's REPL mode): `let` and `const` may be
// declared again, `await` stands anywhere, the last value is the cell's. `import` is made a call, for V8
// knows it in modules alone. A line says that there is a new order in a file; its answer is one line.
// What a cell prints goes out on 1 and 2.

const fs = require('fs');
const net = require('net');
const util = require('util');
const vm = require('vm');
const { Session } = require('inspector');
const Module = require('module');

// Both written by the agent alone, anew for each cell.
const ORDER = '/dev/session/order';
const INPUT = '/dev/session/input';
// What one answer may hold, in bytes as they are sent; what is over is named and left out.
const MAX_RESULT = 1 << 20;
const MAX_RESULTS = 2 << 20;
const MAX_TRACEBACK = 64 << 10;
// How long a cell waits for its own timers and requests, that what they print is in its answer.
const LINGER_MS = 1000;
const LOOK_AGAIN_MS = 5;
// What keeps a process alive and awaits others.
const SERVES = new Set(['TCPServerWrap', 'PipeServerWrap', 'TCPSocketWrap', 'UDPWrap']);
// Debian's, which its node uses itself.
const LIBRARY = '/usr/share/nodejs/';
// What `import` becomes; no program has this name by chance.
const IMPORT = '__import_of_the_session';
const TAKE = Symbol.for('session.take');
const DISPLAY = Symbol.for('Jupyter.display');
const BREAKABLE = new vm.Script(`globalThis[Symbol.for('${TAKE.description}')]()`);

let results = { shown: [], left: MAX_RESULTS };

function add(shown) {
  const kept = {};
  for (let [kind, data] of Object.entries(shown)) {
    data = typeof data === 'string' ? data : Buffer.isBuffer(data) ? data.toString('base64') : JSON.stringify(data) ?? '';
    let size = Buffer.byteLength(JSON.stringify(data));
    if (size > Math.min(MAX_RESULT, results.left)) {
      [kind, data] = ['text/plain', `<${kind} of ${size} bytes left out>`];
      size = data.length;
    }
    results.left -= size;
    kept[kind] ??= data;
  }
  results.shown.push(kept);
}

// MIME type -> data of a value, or the promise of it.
function bundle(value) {
  const plain = { 'text/plain': util.inspect(value) };
  if (value == null || typeof value[DISPLAY] !== 'function') return plain;
  const rich = value[DISPLAY]();
  return rich instanceof Promise ? rich.then((shown) => ({ ...plain, ...shown })) : { ...plain, ...rich };
}

// Show a value in the cell's results, with all it can say of itself.
function display(value) {
  const shown = bundle(value);
  return shown instanceof Promise ? shown.then(add) : add(shown);
}

function described(error) {
  const thrown = error instanceof Error || (error && typeof error.stack === 'string');
  let traceback = thrown ? String(error.stack) : `Uncaught ${util.inspect(error)}`;
  // What is below the cell is this file's.
  traceback = traceback.split(/\n    at Session\.post \(node:inspector/)[0];
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
  const module = new Module('/work/session.js');
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

let count = 0;
// Evaluates a cell; its value, or throws what it threw. In a box, as what is returned from an async
// function is awaited.
async function evaluate(code, ready) {
  count += 1;
  const expression = `${withImports(asWritten(code))}\n//# sourceURL=cell-${count}`;
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

async function cell(code, ready) {
  results = { shown: [], left: MAX_RESULTS };
  const answer = { exit_code: 0, error: null };
  const before = atWork();
  try {
    const { value } = await evaluate(code, ready);
    if (value !== undefined) await display(value);
    await linger(before);
  } catch (error) {
    answer.exit_code = 1;
    answer.error = describedOrNot(error);
  }
  answer.results = results.shown;
  return answer;
}

// Each cell's standard input is a new one.
function takeInput() {
  fs.closeSync(0);
  // Gets the lowest free number: 0.
  fs.openSync(INPUT);
  let stream;
  Object.defineProperty(process, 'stdin', {
    configurable: true, enumerable: true, get: () => stream ??= fs.createReadStream(null, { fd: 0, autoClose: false }),
  });
}

function say(reply, answer) {
  // JSON.stringify writes a lone surrogate as an escape, which is no text to the agent.
  const text = JSON.stringify(answer).replace(/\\\\|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g, (found) => found === '\\\\' ? found : '\\ufffd');
  const line = Buffer.from(text + '\n');
  for (let sent = 0; sent < line.length;) sent += fs.writeSync(reply, line, sent);
}

async function carryOut(reply) {
  const order = JSON.parse(fs.readFileSync(ORDER, 'utf8'));
  Object.assign(process.env, order.env);
  process.argv.splice(1, Infinity, '', ...order.args);
  takeInput();
  const answer = await cell(order.code, () => say(reply, { begun: order.id }));
  await Promise.all([process.stdout, process.stderr].map(written));
  say(reply, { id: order.id, ...answer });
}

// A pipe that is full is written to later.
function written(stream) {
  return new Promise((resolve) => stream.writableLength ? stream.write('', resolve) : resolve());
}

// Carries out orders until there are no more.
exports.serve = async (orders, reply) => {
  Object.assign(globalThis, { require: Module.createRequire('/work/main.js'), display, module: { exports: {} }, exports: {} });
  Object.defineProperty(globalThis, IMPORT, { value: importer() });
  // Neither a late interrupt nor a cell's loose ends end the session.
  process.on('SIGINT', () => {});
  process.on('uncaughtException', (error) => console.error(error));
  await carryOut(reply);
  for await (const lines of new net.Socket({ fd: orders, readable: true, writable: false })) {
    for (const byte of lines) if (byte === 10) await carryOut(reply);
  }
};
