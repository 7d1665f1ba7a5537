// Regular expressions: a template engine, a tokenizer, an ini reader, Unicode.
const template = `Dear {{ title | upper }} {{name}},
{{#each items}}- {{ name }}: {{ price | euro }}
{{/each}}{{#if late}}You are late!{{/if}}{{#if rich}}Congratulations!{{/if}}
Yours, {{ sender.first }} {{ sender.last | reverse | upper }}`;

const filters = {
  upper: (s) => String(s).toUpperCase(),
  euro: (n) => `${n.toFixed(2).replace('.', ',')} €`,
  reverse: (s) => [...s].reverse().join(''),
};

function render(text, scope) {
  return text
    .replace(/\{\{#each (\w+)\}\}([\s\S]*?)\{\{\/each\}\}/g, (_, list, body) =>
      scope[list].map((item) => render(body, { ...scope, ...item })).join(''))
    .replace(/\{\{#if (\w+)\}\}(.*?)\{\{\/if\}\}/gs, (_, name, body) => (scope[name] ? render(body, scope) : ''))
    .replace(/\{\{\s*([\w.]+)((?:\s*\|\s*\w+)*)\s*\}\}/g, (_, path, pipes) =>
      pipes.split('|').slice(1).reduce(
        (value, name) => filters[name.trim()](value),
        path.split('.').reduce((value, key) => value[key], scope)));
}

console.log(render(template, {
  title: 'dr', name: 'Grünwald', late: true, rich: false, sender: { first: 'Ann', last: 'Lee' },
  items: [{ name: 'tea', price: 3.5 }, { name: 'crème', price: 12 }],
}));

const token = /(?<number>\d+(?:\.\d+)?)|(?<name>[a-z_]\w*)|(?<operator>[-+*\/^()=])|(?<space>\s+)/iy;
function* tokens(source) {
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const at = token.lastIndex;
    const groups = token.exec(source)?.groups;
    if (!groups) throw new SyntaxError(`unexpected ${source[at]} at ${at}`);
    const [[kind, text]] = Object.entries(groups).filter(([, text]) => text !== undefined);
    if (kind !== 'space') yield `${kind}:${text}`;
  }
}
console.log([...tokens('area = 3.14 * r^2')].join(' '));
try {
  [...tokens('1 + $')];
} catch (error) {
  console.log(`${error}`);
}

const ini = '; comment\n[server]\nhost = example.org\nport=8080 \n\n[paths]\nroot = /srv/data # not a comment\n';
let section;
const config = {};
for (const [, name, key, value] of ini.matchAll(/^\[(\w+)\]$|^(\w+)\s*=\s*(.*?)\s*$/gm)) {
  if (name) section = config[name] = {};
  else section[key] = value;
}
console.log(config);
console.log('2024-02-29'.replace(/(?<y>\d+)-(?<m>\d+)-(?<d>\d+)/, '$<d>.$<m>.$<y>'), '1234567.891'.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ' '));
console.log('naïve café Ωmega 日本 x2'.match(/\p{L}+/gu), '👍🏽 ok'.match(/\p{Emoji_Presentation}/u)[0].length, /(?<!\$)\b\d+\b/.exec('$15 or 27')[0]);
