const dns = require("dns");
const begun = Date.now();
let open = 2;
function done(what, error, address) {
  console.log(error ? `refused ${what} ${error.code}` : `BREACH: ${what} ${address}`);
  if (--open === 0) console.log(Date.now() - begun > 5000 ? "BREACH: it hung" : "at once");
}
dns.lookup("example.com", (error, address) => done("lookup", error, address));
const resolver = new dns.Resolver({ timeout: 500, tries: 1 });
resolver.resolve4("example.com", (error, address) => done("resolve4", error, address));
