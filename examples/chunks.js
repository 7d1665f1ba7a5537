// Needs a package: llm-firecracker run --with lodash@4 chunks.js
const { chunk } = require("lodash");

console.log(chunk([1, 2, 3, 4, 5], 2));
