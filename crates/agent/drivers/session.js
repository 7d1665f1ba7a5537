'use strict';
// A session's interpreter: one order after another, what cells declare stays.
//
// Cells are evaluated as a debugger's console does (V8's REPL mode): `let` and `const` may be
// declared again, `await` stands anywhere, the last value is the cell's. A line says that there is
// a new order in a file; its answer is one line. What a cell prints goes out on 1 and 2.

const fs = require('fs');
const net = require('net');
const util = require('util');
const { Session } = require('inspector');
const { createRequire } = require('module');

// Both written by the agent alone, anew for each cell.
const ORDER = '/dev/session/order';
const INPUT = '/dev/session/input';
// What one answer may hold, in bytes as they are sent; what is over is named and left out.
const MAX_RESULT = 1 << 20;
const MAX_RESULTS = 2 << 20;
const MAX_TRACEBACK = 64 << 10;
const TAKE = Symbol.for('session.take');
const DISPLAY = Symbol.for('Jupyter.display');

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

let count = 0;
// Evaluates a cell; its value, or throws what it threw. In a box, as what is returned from an async
// function is awaited.
async function evaluate(code) {
  count += 1;
  const answer = await post('Runtime.evaluate', {
    expression: `${code}\n//# sourceURL=cell-${count}`, replMode: true, objectGroup: 'cell',
  });
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

async function cell(code) {
  results = { shown: [], left: MAX_RESULTS };
  const answer = { exit_code: 0, error: null };
  try {
    const { value } = await evaluate(code);
    if (value !== undefined) await display(value);
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
  say(reply, { id: order.id, ...await cell(order.code) });
}

// Carries out orders until there are no more.
exports.serve = async (orders, reply) => {
  Object.assign(globalThis, { require: createRequire('/work/main.js'), display, module: { exports: {} }, exports: {} });
  // A cell's loose ends do not end the session.
  process.on('uncaughtException', (error) => console.error(error));
  await carryOut(reply);
  for await (const lines of new net.Socket({ fd: orders, readable: true, writable: false })) {
    for (const byte of lines) if (byte === 10) await carryOut(reply);
  }
};
