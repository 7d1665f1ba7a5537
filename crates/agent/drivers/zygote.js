'use strict';
// The waiting interpreter: everything is loaded, then one request says what becomes of it.
// Node runs this (--require) before it looks for main.js. Whatever happens after it returns is
// plain node's own doing: stacks, exit codes, require, none of it is imitated.
// A worker thread inherits --require and has nothing to wait for.
if (require('worker_threads').isMainThread && process.env.ZYGOTE_REQUEST) {
  const fs = require('fs');
  const v8 = require('v8');
  const names = `assert async_hooks buffer child_process crypto dns events fs/promises http https
    module net os path perf_hooks process punycode querystring readline readline/promises stream
    stream/promises string_decoder timers timers/promises url util util/types v8 vm worker_threads
    zlib`;
  for (const name of names.split(/\s+/)) {
    try { require(name); } catch { /* this node has no such module */ }
  }
  // Made now, used by the first console.log.
  process.stdout.write('');
  process.stderr.write('');

  delete process.env.ZYGOTE_REQUEST;
  fs.writeSync(4, '1');
  fs.closeSync(4);
  const order = JSON.parse(fs.readFileSync(3, 'utf8'));
  fs.closeSync(3);

  process.argv.push(...order.args);
  process.execArgv.length = 0;
  Object.assign(process.env, order.env);
  // Math.random is seeded at its first use in a context; without the flag from a generator that
  // all clones share. The flag has 31 bits, the draws thrown away bring more.
  const seed = require('crypto').randomBytes(8);
  v8.setFlagsFromString('--random-seed=' + ((seed.readUInt32LE(0) >>> 1) || 1));
  for (let skip = seed.readUInt32LE(4) & 0x3fff; skip > 0; skip--) Math.random();
  Object.defineProperty(performance, 'timeOrigin', {
    value: Date.now() - performance.now(), configurable: true, enumerable: true,
  });
}
