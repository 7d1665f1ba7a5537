// The file system of a throwaway machine: files, folders, watching sizes, paths, errors.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify, inspect, types } = require('node:util');
const assert = require('node:assert/strict');

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'demo-'));
const at = (...parts) => path.join(root, ...parts);

function tree(folder) {
  return fs.readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => (entry.isDirectory() ? { [entry.name]: tree(path.join(folder, entry.name)) } : entry.name));
}

async function main() {
  fs.mkdirSync(at('a', 'b'), { recursive: true });
  fs.writeFileSync(at('a', 'poem.txt'), 'roses are red\n');
  fs.appendFileSync(at('a', 'poem.txt'), 'violets are blue\n');
  await fs.promises.copyFile(at('a', 'poem.txt'), at('a', 'b', 'copy.txt'));
  fs.renameSync(at('a', 'b', 'copy.txt'), at('a', 'b', 'moved.txt'));
  fs.symlinkSync('poem.txt', at('a', 'link'));
  console.log(inspect(tree(root), { depth: null }));
  console.log(fs.statSync(at('a', 'link')).size, fs.readlinkSync(at('a', 'link')), fs.existsSync(at('nothing')));

  const handle = await fs.promises.open(at('a', 'poem.txt'), 'r+');
  await handle.write(Buffer.from('ROSES'), 0, 5, 0);
  await handle.truncate(20);
  await handle.close();
  console.log(JSON.stringify(fs.readFileSync(at('a', 'poem.txt'), 'utf8')));

  for (const attempt of [() => fs.readFileSync(at('no')), () => fs.rmdirSync(at('a')), () => fs.readFileSync(root)]) {
    try {
      attempt();
    } catch ({ code, syscall }) {
      console.log(code, syscall);
    }
  }
  console.log(await promisify(fs.readFile)(at('a', 'b', 'moved.txt')).then((data) => data.length));

  assert.throws(() => assert.deepEqual({ a: [1, 2] }, { a: [1, 3] }), { code: 'ERR_ASSERTION' });
  console.log(path.relative('/data/x/y', '/data/z'), path.normalize('/a/./b/../c//d'), path.parse('/home/u/file.tar.gz').ext);
  console.log(types.isDate(fs.statSync(root).mtime), os.EOL === '\n', path.basename(__filename).length > 0, require.main === module);
  fs.rmSync(root, { recursive: true });
  console.log(fs.existsSync(root));
}
main();
