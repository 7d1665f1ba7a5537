// Worker threads with shared memory, atomics and message channels; a child process.
const { Worker, isMainThread, parentPort, workerData, MessageChannel, receiveMessageOnPort } = require('node:worker_threads');
const { spawnSync } = require('node:child_process');

function countPrimes(from, to) {
  let count = 0;
  outer: for (let n = Math.max(from, 2); n < to; n++) {
    for (let d = 2; d * d <= n; d++) if (n % d === 0) continue outer;
    count++;
  }
  return count;
}

if (!isMainThread) {
  const { shared, from, to } = workerData;
  const counters = new Int32Array(shared);
  Atomics.add(counters, 0, countPrimes(from, to));
  for (let i = 0; i < 1000; i++) Atomics.add(counters, 1, 1);
  if (Atomics.add(counters, 2, 1) === 1) Atomics.notify(counters, 2);
  parentPort.postMessage({ from, to, when: new Map([['type', 'report']]) });
} else {
  const shared = new SharedArrayBuffer(12);
  const workers = [[0, 1000], [1000, 2000]].map(([from, to]) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(__filename, { workerData: { shared, from, to } });
      worker.on('message', resolve);
      worker.on('error', reject);
    }));
  Promise.all(workers).then(async (reports) => {
    const [primes, steps, done] = new Int32Array(shared);
    console.log({ primes, steps, done });
    console.log(reports.map(({ from, to, when }) => `${from}-${to} ${when.get('type')}`));

    const failing = new Worker('throw new RangeError("from the worker")', { eval: true });
    const error = await new Promise((resolve) => failing.on('error', resolve));
    console.log(error.name, error.message, error instanceof RangeError);

    const { port1, port2 } = new MessageChannel();
    const bytes = new Uint8Array([1, 2, 3]).buffer;
    port1.postMessage(bytes, [bytes]);
    console.log(bytes.byteLength, new Uint8Array(receiveMessageOnPort(port2).message));

    const child = spawnSync(process.execPath, ['-e', 'process.stdin.pipe(process.stdout); process.exitCode = 5'], { input: 'echoed' });
    console.log(child.status, child.stdout.toString(), child.signal);
  });
}
