/** A broker that hangs: its process is stopped, as a machine is that swaps. Nothing says so, and nothing may wait for ever. */
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { filter, firstValueFrom } from "rxjs";
import { afterEach, describe, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { createProxy, type ProxyOptions } from "../../proxy/index.js";
import {
  connect,
  exec,
  type Flux,
  kill,
  list,
  type ProcessEvent,
  rexecBg,
  type Status,
  wait,
  watch,
} from "../../src/index.js";
import { failure, sh, until } from "../support/process.js";
import { startVictim, type Victim } from "../support/victim.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";

describe("a broker that hangs", () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const start = async (options: Partial<ProxyOptions> = {}) => {
    const broker: Victim = await startVictim(`
      import { startEmbeddedBroker } from "flux-subprocess/embedded";
      console.log((await startEmbeddedBroker({ size: 2 })).uri, process.pid);
    `);
    const [uri, pid] = broker.line.split(" ") as [string, string];
    cleanups.push(() => rm(dirname(uri.replace("local://", "")), { recursive: true }), broker.kill);
    const { privateJwk, jwks } = await generateKeys();
    const token = await signToken(privateJwk, { issuer, audience, subject: "tester", ttlSeconds: 600 });
    const proxy = await createProxy({ uri, jwks, issuer, audience, ...options });
    cleanups.push(() => proxy.close());
    const client = (): Flux => {
      const flux = connect(proxy.url, { token });
      cleanups.push(() => flux.close());
      return flux;
    };
    const signal = (name: NodeJS.Signals) => process.kill(Number(pid), name);
    return { client, flux: client(), stop: () => signal("SIGSTOP"), goOn: () => signal("SIGCONT") };
  };

  it("a request without streaming ends with ETIMEDOUT, and the broker answers the next one when it runs again", async () => {
    const { flux, stop, goOn } = await start();
    const pid = await rexecBg(flux, ["sleep", "60"], { nodeid: 1, waitable: true }).getPid();
    stop();
    const error = (topic: string, timeout: number) => ({
      code: "ETIMEDOUT",
      rank: 1,
      topic,
      reason: `rank 1 has not answered ${topic} for ${timeout / 1000} s`,
    });
    const where = { nodeid: 1, timeout: 300 };
    expect(await failure(list(flux, where).get())).toMatchObject(error("rexec.list", 300));
    expect(await failure(kill(flux, { pid: 1, ...where }).get())).toMatchObject(error("rexec.kill", 300));
    expect(await failure(wait(flux, { pid: 1, ...where }).get())).toMatchObject(error("rexec.wait", 300));
    expect(await failure(flux.rpc("attr.get", { name: "rank" }, where).get())).toMatchObject(
      error("attr.get", 300),
    );
    goOn();
    expect(await list(flux, { nodeid: 1 }).getProcesses()).toMatchObject([{ pid }]);
  });

  it("the proxy ends a process that starts after its exec was given up", async () => {
    const { flux, stop, goOn } = await start();
    await list(flux).get();
    stop();
    const events: ProcessEvent[] = [];
    const run = exec(flux, ["sleep", "60"], { nodeid: 1, timeout: 300 });
    const error = await failure(run.forEach((event) => void events.push(event)));
    expect([error.code, error.rank, events]).toEqual(["ETIMEDOUT", 1, []]);
    goOn();
    const other = exec(flux, ["sleep", "60"], { nodeid: 1, timeout: 60_000 }).subscribe();
    const processes = () => list(flux, { nodeid: 1 }).getProcesses();
    await until(async () => (await processes()).length === 1, "only the exec in time runs");
    other.unsubscribe();
  });

  it("streams report that it does not answer, and that it answers again, and lose nothing", async () => {
    const { flux, stop, goOn } = await start({ probeIntervalMs: 200 });
    const events: string[] = [];
    const script = sh("echo before; read line; echo $line; exit 3");
    let go = (_: string) => {};
    async function* stdin() {
      yield await new Promise<string>((resolve) => {
        go = resolve;
      });
    }
    const end = exec(flux, script, { nodeid: 1, stdin: stdin() }).forEach((event) => {
      events.push(event.type === "output" ? Buffer.from(event.data).toString().trim() : event.type);
    });
    await until(() => events.includes("before"), "it runs");
    stop();
    await until(() => events.at(-1) === "unresponsive", "the stream reports it");
    // A stream that is opened meanwhile reports it at once, before its process has started.
    const late: string[] = [];
    const second = exec(flux, ["true"], { nodeid: 0 }).forEach((event) => void late.push(event.type));
    await until(() => late.length > 0, "the other stream reports it");
    expect(late).toEqual(["unresponsive"]);
    goOn();
    await until(() => events.at(-1) === "responsive", "the stream reports its return");
    go("after\n");
    await Promise.all([end, second]);
    expect(events.filter((event) => event !== "eof")).toEqual([
      "started",
      "before",
      "unresponsive",
      "responsive",
      "after",
      "finished",
    ]);
    expect(late).toContain("finished");
  });

  it("opening a session fails in bounded time, and succeeds when the broker answers again", async () => {
    const { client, flux, stop, goOn } = await start({ brokerTimeoutMs: 500 });
    await list(flux).get();
    stop();
    const second = client();
    const failed = filter((status: Status) => status.state === "connecting" && status.attempt > 1);
    expect(await firstValueFrom(second.status$.pipe(failed))).toMatchObject({
      error: { code: "ECONNRESET", message: expect.stringMatching(/4503/) },
    });
    // The request waits, and the same handle sends it when there is a session.
    const listed = list(second).get();
    goOn();
    await listed;
  });

  it("a watch shows the error of the rank, and later its processes again", async () => {
    const { flux, stop, goOn } = await start();
    const tables: string[] = [];
    const watching = watch(flux, { nodeid: 1 }).subscribe(({ processes, errors }) => {
      tables.push(errors[0]?.code ?? String(processes.length));
    });
    await until(() => tables.length > 0, "the first table");
    stop();
    const late = () => until(() => tables.at(-1) === "ETIMEDOUT", "the rank is late");
    // It takes the 10 s of PROTOCOL.md, which are as many as `until` waits.
    await late().catch(late);
    goOn();
    await until(() => tables.at(-1) === "0", "it is back");
    expect(tables).toEqual(["0", "ETIMEDOUT", "0"]);
    watching.unsubscribe();
  });
});
