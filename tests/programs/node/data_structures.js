// A binary heap, an LRU cache, a trie, a matrix, a proxy; classes, symbols, iterators, closures.
class Heap {
  #items = [];
  #before;
  constructor(before = (a, b) => a < b) {
    this.#before = before;
  }
  get size() {
    return this.#items.length;
  }
  push(item) {
    const items = this.#items;
    let at = items.push(item) - 1;
    for (let up; at > 0 && this.#before(items[at], items[(up = (at - 1) >> 1)]); at = up) {
      [items[at], items[up]] = [items[up], items[at]];
    }
    return this;
  }
  pop() {
    const items = this.#items;
    const top = items[0], last = items.pop();
    if (items.length) {
      items[0] = last;
      for (let at = 0, child; (child = 2 * at + 1) < items.length; at = child) {
        if (child + 1 < items.length && this.#before(items[child + 1], items[child])) child++;
        if (!this.#before(items[child], items[at])) break;
        [items[at], items[child]] = [items[child], items[at]];
      }
    }
    return top;
  }
  *[Symbol.iterator]() {
    while (this.size) yield this.pop();
  }
}

class LruCache extends Map {
  constructor(capacity) {
    super();
    this.capacity = capacity;
  }
  get(key) {
    const value = super.get(key);
    if (this.delete(key)) super.set(key, value);
    return value;
  }
  set(key, value) {
    this.delete(key);
    if (this.size >= this.capacity) this.delete(this.keys().next().value);
    return super.set(key, value);
  }
}

const trie = (words) => words.reduce((root, word) => {
  [...word].reduce((node, letter) => (node[letter] ??= {}), root).end = true;
  return root;
}, {});
function* completions(node, prefix = '') {
  if (node.end) yield prefix;
  for (const letter of Object.keys(node).filter((k) => k !== 'end').sort()) yield* completions(node[letter], prefix + letter);
}

const heap = new Heap();
let seed = 42;
for (let i = 0; i < 12; i++) heap.push((seed = (seed * 1103515245 + 12345) % 2147483648) % 100);
console.log(...heap, '|', ...new Heap((a, b) => a.length > b.length).push('aa').push('b').push('cccc'));

const cache = new LruCache(2).set('a', 1).set('b', 2);
cache.get('a');
console.log(cache.set('c', 3), [...cache.keys()]);
console.log([...completions(trie(['to', 'tea', 'ten', 'i', 'inn', 'in']))]);

const matrix = [[2, 1], [1, 1]];
const multiply = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
console.log([1, 2, 3].reduce((m) => multiply(m, matrix), matrix));

const traced = new Proxy({}, { get: (_, name) => (...args) => `${String(name)}(${args})`, has: (_, name) => name.length < 4 });
console.log(traced.anything(1, 2), 'abc' in traced, 'abcd' in traced);
console.log(Object.entries(Object.groupBy?.([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even')) ?? { odd: [1, 3], even: [2] }), [3, 20, 100].sort());
class Celsius {
  constructor(degrees) { this.degrees = degrees; }
  [Symbol.toPrimitive](hint) { return hint === 'string' ? `${this.degrees} °C` : this.degrees; }
  static from = ({ fahrenheit }) => new Celsius(((fahrenheit - 32) * 5) / 9);
}
console.log(`${Celsius.from({ fahrenheit: 212 })}`, new Celsius(20) + 1, new Celsius(3));
