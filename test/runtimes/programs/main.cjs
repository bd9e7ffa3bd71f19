// As main.mjs, in CommonJS.
const client = require("flux-subprocess");
const rx = require("rxjs");
const { run } = require("./suite.cjs");

run(client, rx, JSON.parse(process.argv[2])).then((results) => console.log(JSON.stringify(results)));
