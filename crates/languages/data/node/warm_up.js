'use strict';
// Run once by a waiting interpreter (zygote.js), with nobody listening.
const { inspect } = require('util');
console.log('%s', inspect({ a: [1, 'x'], f() {} }), 1);
console.error(new Error('none').stack);
module.exports = [`${1}`, /x/.test('x'), JSON.stringify({ a: 1 })];
