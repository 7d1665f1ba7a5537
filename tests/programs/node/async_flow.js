// Promises, async generators, a limit on concurrency, abort signals, the order of the event loop.
const { setTimeout: sleep } = require('node:timers/promises');
const { EventEmitter, once } = require('node:events');

const order = [];
setTimeout(() => order.push('timer'), 0);
setImmediate(() => order.push('immediate'));
Promise.resolve().then(() => order.push('promise'));
process.nextTick(() => order.push('tick'));
order.push('sync');

async function* countdown(from) {
  try {
    while (from > 0) {
      await sleep(1);
      yield from--;
    }
  } finally {
    order.push('generator closed');
  }
}

async function limited(limit, tasks) {
  const results = [];
  let next = 0, running = 0, peak = 0;
  async function lane() {
    while (next < tasks.length) {
      const index = next++;
      peak = Math.max(peak, ++running);
      try {
        results[index] = await tasks[index]();
      } finally {
        running--;
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, lane));
  return { results, peak };
}

async function main() {
  await sleep(20);
  // A slow machine may come here before the first turn's immediates: they are run in order.
  await new Promise((resolve) => setImmediate(resolve));
  console.log(order.filter((o) => !['timer', 'immediate'].includes(o)).join(' '), order.length);

  const seen = [];
  for await (const n of countdown(9)) {
    seen.push(n);
    if (n === 6) break;
  }
  console.log(seen, order.at(-1));

  const tasks = [5, 1, 4, 2, 3].map((n) => () => sleep(n).then(() => n * n));
  console.log(await limited(2, tasks));

  const settled = await Promise.allSettled([1, Promise.reject(new Error('no')), sleep(1, 'late')]);
  console.log(settled.map(({ status, value, reason }) => value ?? `${status}: ${reason.message}`));
  console.log(await Promise.race([sleep(500, 'slow', { ref: false }), sleep(1, 'fast')]));
  console.log(await Promise.any([Promise.reject(1), sleep(2, 'second chance')]));

  const controller = new AbortController();
  const waiting = sleep(60_000, null, { signal: controller.signal });
  controller.abort();
  console.log(await waiting.catch((error) => `${error.name} ${error.code}`));

  const bell = new EventEmitter();
  setImmediate(() => bell.emit('ring', 'ding', 3));
  console.log(await once(bell, 'ring'));
}

main().then(() => console.log('done'));
