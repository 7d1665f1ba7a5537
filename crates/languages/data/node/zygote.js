'use strict';
// The waiting interpreter: everything is loaded, then one order says what becomes of it.
// Node runs this (--require) before it looks for main.js. Whatever happens after it returns is
// plain node's own doing: stacks, exit codes, require, none of it is imitated.

const fs = require('fs');
const path = require('path');
const v8 = require('v8');
const ORDERS = 3;
const REPLY = 4;
const WARM_UP = __dirname + '/warm_up.js';

// None that warns when it is loaded: that warning is the program's own.
function load() {
  const names = `assert async_hooks buffer child_process crypto dns events fs/promises http https
    inspector module net os path perf_hooks querystring readline readline/promises
    stream stream/promises string_decoder timers timers/promises url util util/types v8 vm
    worker_threads zlib`;
  for (const name of names.split(/\s+/)) {
    try { require(name); } catch { /* this node has no such module */ }
  }
  warmUp();
}

// What most programs walk is walked once, so that it is compiled before the job comes: a module is
// found and run, something is printed to nowhere.
function warmUp() {
  for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
  require(WARM_UP);
  for (const stream of [process.stdout, process.stderr]) delete stream.write;
  delete require.cache[WARM_UP];
  module.children.length = 0;
}

// A process that has nothing left to do, nothing to say and nobody to tell ends at once, as by
// process.exit(), instead of taking a heap down of which nobody outside sees a thing. Node asks for
// `emit` when it has set `_exiting`; in all other cases this is the plain one.
function leave() {
  const plain = process.emit;
  Object.defineProperty(process, 'emit', {
    configurable: true,
    enumerable: false,
    get() {
      if (process._exiting && !process.exitCode && process.listenerCount('exit') === 0) process.reallyExit(0);
      return plain;
    },
    set(value) {
      Object.defineProperty(process, 'emit', { value, configurable: true, writable: true, enumerable: true });
    },
  });
}

function readLine() {
  const chunk = Buffer.alloc(65536);
  let line = '';
  while (!line.endsWith('\n')) {
    const length = fs.readSync(ORDERS, chunk);
    if (length === 0) break;
    line += chunk.latin1Slice(0, length);
  }
  return JSON.parse(Buffer.from(line, 'latin1').toString());
}

// Math.random is seeded at its first use in a context; without the flag from a generator that all
// clones share. The flag has 31 bits, the draws thrown away bring more.
function reseed() {
  const seed = Buffer.alloc(8);
  const random = fs.openSync('/dev/urandom');
  fs.readSync(random, seed);
  fs.closeSync(random);
  v8.setFlagsFromString('--random-seed=' + ((seed.readUInt32LE(0) >>> 1) || 1));
  for (let skip = seed.readUInt32LE(4) & 0x3ff; skip > 0; skip--) Math.random();
  Object.defineProperty(performance, 'timeOrigin', {
    value: Date.now() - performance.now(), configurable: true, enumerable: true,
  });
}

function become(order) {
  process.execArgv.length = 0;
  reseed();
  fs.closeSync(ORDERS);
  fs.closeSync(REPLY);
  // Node reads what to run when this file has ended.
  process.argv[1] = path.resolve(order.file);
  process.argv.push(...order.args);
  Object.assign(process.env, order.env);
  delete require.cache[__filename];
  leave();
}

// A worker thread inherits --require and has nothing to wait for.
if (require('worker_threads').isMainThread && process.env.ZYGOTE_REQUEST) {
  load();
  delete process.env.ZYGOTE_REQUEST;
  fs.writeSync(REPLY, '1');
  become(readLine());
}
