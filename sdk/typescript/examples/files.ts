// Files in and out, and what changes in a folder.
import { Client } from "llm-firecracker";

const client = new Client();
await using sandbox = await client.sandbox({ language: "python" });
const { files, commands } = sandbox;
await files.makeFolder("/work/data");

for await (const change of files.watch("/work/data", { depth: 2 })) {
  if (change.event === "watching") await files.write("/work/data/table.csv", "a,b\n1,2\n");
  if (change.event === "created") {
    console.log(change.path);
    break;
  }
}

await commands.run("tr , ';' < /work/data/table.csv > /work/data/table.txt");
console.log((await files.read("/work/data/table.txt")).trim());
for (const { kind, path, size } of (await files.list("/work/data")).entries) console.log(kind, path, size);

// A file of any size, bit by bit.
let bytes = 0;
await commands.run("head -c 3000000 /dev/zero > /work/large");
for await (const piece of await files.readStream("/work/large")) bytes += piece.length;
console.log(bytes);

// prints:
// /work/data/table.csv
// a;b
// 1;2
// file /work/data/table.csv 8
// file /work/data/table.txt 8
// 3000000
