/** A proxy that is killed and started again, five times, under chains that were written once. */
import { defer, retry, tap } from "rxjs";
import { afterEach, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { connect, exec, rexecBg, watch } from "../../src/index.js";
import { sh, until } from "../support/process.js";
import { startVictim, type Victim } from "../support/victim.js";

const RESTARTS = 5;
const issuer = "https://issuer.test";
const audience = "flux-subprocess";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it(`watch and exec with retry() go on through ${RESTARTS} restarts, and nothing runs that nobody has started`, async () => {
  const broker = await startEmbeddedBroker({ size: 2 });
  cleanups.push(() => broker.close());
  const { privateJwk, jwks } = await generateKeys();
  const token = await signToken(privateJwk, { issuer, audience, subject: "tester", ttlSeconds: 600 });
  const start = async (port = 0): Promise<Victim> => {
    const victim = await startVictim(`
      import { createProxy } from "flux-subprocess/proxy";
      const options = ${JSON.stringify({ uri: broker.uri, jwks, issuer, audience, port })};
      console.log((await createProxy(options)).url);
    `);
    cleanups.push(victim.kill);
    return victim;
  };

  let proxy = await start();
  const port = Number(new URL(proxy.line).port);
  const flux = connect(proxy.line, { token, retry: { delay: () => 20 } });
  cleanups.push(() => flux.close());
  const states: string[] = [];
  flux.status$.subscribe(({ state }) => state !== states.at(-1) && states.push(state));

  await rexecBg(flux, ["sleep", "60"], { label: "stays", nodeid: 1 }).get();
  let tables = 0;
  let labels: string[] = [];
  let subscriptions = 0;
  const started: number[] = [];
  const unknown: string[] = [];
  const subscription = watch(flux, { interval: 100 })
    .pipe(retry())
    .subscribe(({ processes }) => {
      tables++;
      labels = processes.map(({ label }) => label);
    });
  subscription.add(
    defer(() => {
      subscriptions++;
      return exec(flux, sh("echo up; exec sleep 60"));
    })
      .pipe(
        tap((event) => {
          if (event.type === "started") started.push(event.pid);
          if (event.type === "finished") unknown.push(event.outcome.kind);
        }),
        retry(),
      )
      .subscribe(),
  );

  for (let n = 1; n <= RESTARTS; n++) {
    await until(() => started.length === n, `process ${n} has started`);
    await proxy.kill();
    proxy = await start(port);
    const before = tables;
    await until(() => started.length === n + 1 && tables > before, `all goes on after restart ${n}`);
    // The process of the killed proxy is gone, and there is one of the new one.
    await until(() => labels.length === 2, `the processes after restart ${n}: ${labels}`);
  }

  expect(started).toHaveLength(RESTARTS + 1);
  expect(new Set(started).size).toBe(RESTARTS + 1);
  expect(unknown).toEqual(Array(RESTARTS).fill("unknown"));
  // Only the chain's own retry() has started anything.
  expect(subscriptions).toBe(RESTARTS + 1);
  expect(labels.sort()).toEqual(["-", "stays"]);
  expect(states).toEqual([
    "connecting",
    "open",
    ...Array(RESTARTS).fill(["resuming", "connecting", "open"]).flat(),
  ]);
  subscription.unsubscribe();
});
