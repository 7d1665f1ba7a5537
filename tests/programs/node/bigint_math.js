// BigInt: powers, a primality test, the digits of pi, rational numbers.
function powmod(base, exponent, modulus) {
  let result = 1n;
  for (base %= modulus; exponent > 0n; exponent >>= 1n, base = (base * base) % modulus) {
    if (exponent & 1n) result = (result * base) % modulus;
  }
  return result;
}

function isPrime(n) {
  if (n < 2n) return false;
  for (const p of [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n]) {
    if (n % p === 0n) return n === p;
  }
  let d = n - 1n, s = 0;
  while (!(d & 1n)) [d, s] = [d >> 1n, s + 1];
  return [2n, 3n, 5n, 7n, 11n, 13n, 17n].every((base) => {
    let x = powmod(base, d, n);
    for (let i = 0; i < s; i++, x = (x * x) % n) {
      if (x === n - 1n || (i === 0 && x === 1n)) return true;
    }
    return false;
  });
}

// Gibbons' spigot: one digit of pi at a time, without an end.
function* piDigits() {
  let [q, r, t, k, m, x] = [1n, 0n, 1n, 1n, 3n, 3n];
  for (;;) {
    if (4n * q + r - t < m * t) {
      yield m;
      [q, r, m] = [10n * q, 10n * (r - m * t), (10n * (3n * q + r)) / t - 10n * m];
    } else {
      [q, r, t, k, m, x] = [q * k, (2n * q + r) * x, t * x, k + 1n, (q * (7n * k + 2n) + r * x) / (t * x), x + 2n];
    }
  }
}

const gcd = (a, b) => (b ? gcd(b, a % b) : a < 0n ? -a : a);
class Rational {
  constructor(p, q = 1n) {
    const d = gcd(p, q);
    [this.p, this.q] = [p / d, q / d];
  }
  plus({ p, q }) {
    return new Rational(this.p * q + p * this.q, this.q * q);
  }
  toString() {
    return this.q === 1n ? `${this.p}` : `${this.p}/${this.q}`;
  }
}

const digits = piDigits();
console.log('pi', Array.from({ length: 60 }, () => digits.next().value).join(''));
console.log('2^200 =', 2n ** 200n, (2n ** 200n).toString(36));
console.log('mersenne', [2, 3, 5, 7, 11, 13, 17, 19, 23, 31, 61, 67, 89].filter((p) => isPrime(2n ** BigInt(p) - 1n)));
let sum = new Rational(0n);
for (let k = 1n; k <= 20n; k++) sum = sum.plus(new Rational(1n, k));
console.log(`H(20) = ${sum}`, `${new Rational(6n, 3n)}`);
console.log(BigInt.asIntN(8, 255n), BigInt.asUintN(64, -1n), -7n / 2n, -7n % 2n, 2n > 1, 1n == 1, typeof 1n);
try {
  1n + 1;
} catch (error) {
  console.log(error.name);
}
console.log([3n, 1, 2n, 10].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)), 123456789012345678901234567890n.toLocaleString('en-US'));
