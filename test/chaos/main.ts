/**
 * The long form of the chaos tests:
 *
 *     npm run chaos -- --cuts 1000 --seed 1
 *     npm run chaos -- --storm 2000
 *
 * Exits with 1 unless every byte came back once and in order, from a single process.
 */
import { parseArgs } from "node:util";
import { type Servers, startServers } from "../support/servers.js";
import { type Contrast, contrast } from "./contrast.js";
import { spread } from "./plan.js";
import { type Storm, storm } from "./storm.js";
import { type Transfer, transfer } from "./transfer.js";

const { values } = parseArgs({
  options: {
    /** The number of cuts during the transfer. */
    cuts: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    /** Megabytes in each direction. */
    mb: { type: "string", default: "100" },
    /** The URI of a running broker on this machine. @default an embedded broker */
    uri: { type: "string" },
    /** Instead of the transfer: the number of clients that lose their connections at once. */
    storm: { type: "string" },
  },
});

const servers = await startServers({
  uri: values.uri,
  proxy: { sessionsPerSubject: 10_000 },
});
try {
  const good = values.storm === undefined ? await cutting(servers) : await storming(servers);
  process.exitCode = good ? 0 : 1;
} finally {
  await servers.close();
}

async function cutting({ url, token }: Servers): Promise<boolean> {
  const [cuts, seed, mb] = [values.cuts, values.seed, values.mb].map(Number) as [number, number, number];
  const bytes = mb * 1e6;
  console.log(`${mb} MB out and ${mb} MB in through cat, ${cuts} cuts, seed ${seed}`);
  const done = await transfer({ url, token, seed, bytes, cutting: spread(cuts) });
  const good =
    done.cuts === cuts &&
    done.account.sha256 === done.sent &&
    done.processes.length === 1 &&
    done.most === 1 &&
    done.ended === "exit 0" &&
    !done.falseSuccess;
  print(done, good);
  console.log("the same schedule, a plain WebSocket bridge");
  printContrast(await contrast({ seed, bytes, cutting: spread(cuts) }), bytes);
  return good;
}

function print({ account, ...done }: Transfer, good: boolean): void {
  console.log(`  cuts             ${done.cuts}`);
  console.log(`  resumes          ${done.resumes}`);
  console.log(`  sent             sha256 ${done.sent}`);
  console.log(
    `  came back        sha256 ${account.sha256} ${account.sha256 === done.sent ? "equal" : "NOT EQUAL"}`,
  );
  console.log(
    `  processes        ${done.processes.length}, at most ${done.most} at a time: pid ${done.processes}`,
  );
  console.log(`  ended            ${done.ended}`);
  console.log(`  lost             ${account.lost} bytes`);
  console.log(`  doubled          ${account.doubled} bytes`);
  console.log(`  torn             ${account.torn} bytes`);
  console.log(`  false successes  ${Number(done.falseSuccess)}`);
  const rate = account.received / done.seconds / 1e6;
  console.log(`  ${rate.toFixed(1)} MB/s each way, ${done.seconds.toFixed(1)} s: ${good ? "good" : "BAD"}`);
}

function printContrast({ account, ...done }: Contrast, bytes: number): void {
  const share = ((100 * account.lost) / bytes).toFixed(1);
  console.log(`  cuts             ${done.cuts}`);
  console.log(`  processes        ${done.processes}`);
  console.log(`  lost             ${account.lost} bytes (${share} %)`);
  console.log(`  doubled          ${account.doubled} bytes`);
  console.log(`  torn             ${account.torn} bytes`);
  console.log(`  false successes  ${Number(done.falseSuccess)}`);
}

async function storming({ url, token }: Servers): Promise<boolean> {
  const clients = Number(values.storm);
  console.log(`${clients} clients, each with a process, lose their connections at once`);
  const done: Storm = await storm({ url, token, clients });
  console.log(`  resumed          ${done.resumed}`);
  console.log(`  same pid         ${done.samePid}`);
  console.log(`  exit 0           ${done.exited}`);
  console.log(
    `  answered         half after ${done.median.toFixed(0)} ms, all after ${done.last.toFixed(0)} ms`,
  );
  for (const error of new Set(done.errors)) console.log(`  ${error}`);
  const good = [done.resumed, done.samePid, done.exited].every((number) => number === clients);
  console.log(good ? "  good" : "  BAD");
  return good;
}
