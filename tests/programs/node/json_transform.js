// JSON with revivers and replacers: groups, sorts and prints again.
const text = `[
  {"name": "Ada", "born": "1815-12-10", "fields": ["math", "computing"], "salary": 9007199254740993},
  {"name": "Grace", "born": "1906-12-09", "fields": ["computing"], "salary": null},
  {"name": "Emmy", "born": "1882-03-23", "fields": ["math", "physics"], "notes": {"quote": "\\"…\\" \\ud83d\\ude80"}}
]`;

const people = JSON.parse(text, (key, value) => (key === 'born' ? new Date(value) : value));
const century = (date) => Math.floor((date.getUTCFullYear() - 1) / 100) + 1;

const byField = people
  .flatMap(({ fields, ...person }) => fields.map((field) => ({ field, ...person })))
  .reduce((groups, { field, name }) => {
    (groups[field] ??= []).push(name);
    return groups;
  }, {});
console.log(byField);

for (const { name, born } of [...people].sort((a, b) => a.born - b.born)) {
  console.log(name.padEnd(6, '.'), born.toISOString(), `century ${century(born)}`);
}

console.log(JSON.stringify(people[2], (key, value) => (Array.isArray(value) ? value.length : value), 2));
console.log('lost precision:', people[0].salary, Number.isSafeInteger(people[0].salary));
console.log(people[2].notes?.quote?.length, people[0].notes?.quote?.length, people[1].salary ?? 'unpaid');

const cyclic = { list: [1, 2] };
cyclic.self = cyclic;
try {
  JSON.stringify(cyclic);
} catch (error) {
  console.log(error.name, error.message.split('\n')[0]);
}
const deep = structuredClone({ when: new Date(0), map: new Map([['k', new Set([1, 2])]]), big: 10n ** 20n });
console.log(deep);
console.log(JSON.stringify({ a: undefined, b: () => 1, c: NaN, d: [undefined], e: { toJSON: () => 'custom' } }));
