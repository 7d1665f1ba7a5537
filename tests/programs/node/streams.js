// Streams: lines of standard input through transforms, compression, hashes, buffers.
const { Transform, Readable, PassThrough } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { createHash } = require('node:crypto');
const zlib = require('node:zlib');
const readline = require('node:readline');

const csv = () => {
  let header;
  return new Transform({
    objectMode: true,
    transform(line, _, done) {
      const cells = [...line.matchAll(/("([^"]|"")*"|[^,]*)(,|$)/g)].map(([, cell]) =>
        cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
      cells.length = header?.length ?? cells.length - 1;
      if (!header) header = cells;
      else this.push(Object.fromEntries(header.map((name, i) => [name, cells[i]])));
      done();
    },
  });
};

async function main() {
  const [column, ...wanted] = process.argv.slice(2);
  const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
  const rows = [];
  await pipeline(lines, csv(), async (source) => {
    for await (const row of source) rows.push(row);
  });
  console.log(`${rows.length} rows, columns ${Object.keys(rows[0])}`);
  for (const value of wanted) {
    const found = rows.filter((row) => row[column] === value);
    console.log(`${column}=${value}:`, found.map(({ name }) => name));
  }
  console.log(rows.map(({ name, amount }) => [name, Number(amount)]).sort(([, a], [, b]) => b - a)[0]);

  const text = Array.from({ length: 400 }, (_, i) => `line ${i % 7}\n`).join('');
  const chunks = [];
  const through = new PassThrough();
  through.on('data', (chunk) => chunks.push(chunk));
  await pipeline(Readable.from([text]), zlib.createGzip(), zlib.createGunzip(), through);
  const back = Buffer.concat(chunks).toString();
  console.log('round trip', back === text, 'smaller', zlib.deflateSync(text).length < text.length / 20);
  console.log(createHash('sha256').update(text).digest('hex'));
  console.log(createHash('md5').update('').digest('base64url'), zlib.constants.Z_BEST_COMPRESSION);

  const buffer = Buffer.alloc(12);
  buffer.writeUInt32BE(0xdeadbeef, 0);
  buffer.writeDoubleLE(Math.PI, 4);
  console.log(buffer.toString('hex'), buffer.readInt16LE(2), Buffer.from('€').length, Buffer.compare(Buffer.from('a'), Buffer.from('b')));
}

main();
