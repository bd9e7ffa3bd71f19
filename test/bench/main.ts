/**
 * Measurements, each of which compares two cases in one run: `npm run bench -- NAME`.
 *
 *     replay      output throughput with sessions that can resume, and without
 *     stalled     memory while a client does not read; with --others, the throughput of other streams
 *     storm       clients that lose their connections at once
 *     cycles      sessions that are dropped again and again
 *     fanout      the proxy's memory, and the delay of another client, during attacks; with --claimed, on that many ranks
 *     json        the codec of messages, and JSON.parse and JSON.stringify
 *     absent      the proxy's memory for sessions whose clients are absent
 *     watch       requests to the broker for one watcher of 100 ranks, and for 1,000 watchers
 *     directory   the time of a process with a checked `cwd`, and without the check
 *
 * No measurement passes or fails, as the numbers depend on the machine. Each is printed beside its target.
 */
import { parseArgs } from "node:util";
import { absent } from "./absent.js";
import { cycles } from "./cycles.js";
import { directory } from "./directory.js";
import { fanout } from "./fanout.js";
import { jsonBench } from "./json.js";
import { neighbours } from "./neighbours.js";
import { replay } from "./replay.js";
import { stalled } from "./stalled.js";
import { stormBench } from "./storm.js";
import { watchBench } from "./watch.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    /** The URI of a running broker on this machine. @default an embedded broker in a process of its own */
    uri: { type: "string" },
    /** stalled: the pid of that broker. */
    "broker-pid": { type: "string" },
    /** stalled: the number of other streams. */
    others: { type: "string" },
    /** storm: clients; cycles and absent: sessions; watch: watchers. */
    count: { type: "string" },
    /** replay: megabytes a run. */
    mb: { type: "string", default: "200" },
    rounds: { type: "string", default: "7" },
    /** watch: sessions that the watchers share, and ranks. */
    sessions: { type: "string", default: "50" },
    ranks: { type: "string", default: "100" },
    /** fanout: the ranks that the broker claims; absent: a real broker of one rank. And the attack; absent: each. */
    claimed: { type: "string" },
    attack: { type: "string" },
    /** stalled and absent: the time without reading, in seconds; watch: the time of the count. */
    seconds: { type: "string", default: "10" },
  },
});

const { uri } = values;
const rounds = Number(values.rounds);
const count = (otherwise: number) => Number(values.count ?? otherwise);

const benches: Record<string, () => Promise<void>> = {
  replay: () => replay({ uri, mb: Number(values.mb), rounds }),
  stalled: () =>
    values.others === undefined
      ? stalled({
          uri,
          brokerPid: values["broker-pid"] === undefined ? undefined : Number(values["broker-pid"]),
          seconds: Number(values.seconds),
        })
      : neighbours({ uri, others: Number(values.others), rounds }),
  json: async () => jsonBench({ rounds }),
  storm: () => stormBench({ uri, clients: count(2000) }),
  absent: () => absent({ uri, sessions: count(20), seconds: Number(values.seconds) }),
  watch: () =>
    watchBench({
      ranks: Number(values.ranks),
      watchers: count(1000),
      sessions: Number(values.sessions),
      seconds: Number(values.seconds),
    }),
  fanout: () =>
    fanout({
      uri,
      claimed: values.claimed === undefined ? undefined : Number(values.claimed),
      seconds: Number(values.seconds),
      only: values.attack,
    }),
  directory: () => directory({ uri, rounds, count: count(100) }),
  cycles: () => cycles({ uri, count: count(100_000), concurrency: 16 }),
};

const [name = ""] = positionals;
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench) await bench();
else {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [options]`);
  process.exitCode = 2;
}
