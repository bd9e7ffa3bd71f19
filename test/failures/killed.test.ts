/** The client's observable when the broker, the proxy or the process is killed in the middle of a stream. */
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { lastValueFrom, tap } from "rxjs";
import { afterEach, describe, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy } from "../../proxy/index.js";
import {
  type CompletedProcess,
  collect,
  connect,
  exec,
  type Flux,
  FluxError,
  kill,
  list,
  type ProcessEvent,
  type RetryOptions,
  rexecBg,
  type Status,
  wait,
} from "../../src/index.js";
import { failure, sh, until, untilGone, utf8 } from "../support/process.js";
import { startVictim, type Victim } from "../support/victim.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";

const keys = async () => {
  const { privateJwk, jwks } = await generateKeys();
  const token = await signToken(privateJwk, { issuer, audience, subject: "tester", ttlSeconds: 600 });
  return { jwks, token };
};

describe("killed in the middle of a stream", () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const brokerVictim = async (): Promise<Victim> => {
    const victim = await startVictim(`
      import { startEmbeddedBroker } from "flux-subprocess/embedded";
      const broker = await startEmbeddedBroker({ size: 2 });
      console.log(broker.uri);
    `);
    // A killed process cannot tidy up.
    const directory = dirname(victim.line.replace("local://", ""));
    cleanups.push(() => rm(directory, { recursive: true }), victim.kill);
    return victim;
  };

  const proxyVictim = async (uri: string, jwks: unknown): Promise<Victim> => {
    const victim = await startVictim(`
      import { createProxy } from "flux-subprocess/proxy";
      const options = ${JSON.stringify({ uri, jwks, issuer, audience })};
      console.log((await createProxy(options)).url);
    `);
    cleanups.push(victim.kill);
    return victim;
  };

  const client = (url: string, token: string, retry?: RetryOptions): Flux => {
    const flux = connect(url, { token, retry });
    cleanups.push(() => flux.close());
    return flux;
  };

  /** A broker that can be killed, behind a proxy that lives. */
  const doomedBroker = async () => {
    const broker = await brokerVictim();
    const { jwks, token } = await keys();
    const proxy = await createProxy({ uri: broker.line, jwks, issuer, audience });
    cleanups.push(() => proxy.close());
    return { broker, proxy, token, flux: client(proxy.url, token) };
  };

  /** Follows a process; resolves when its first output is there. */
  const follow = (flux: Flux, script: string) =>
    new Promise<{ events: ProcessEvent[]; end: Promise<unknown> }>((resolve, reject) => {
      const events: ProcessEvent[] = [];
      const end = new Promise<unknown>((settle) => {
        exec(flux, sh(script)).subscribe({
          next: (event) => {
            events.push(event);
            if (event.type === "output") resolve({ events, end });
          },
          error: (error) => {
            settle(error);
            reject(error);
          },
          complete: () => settle("complete"),
        });
      });
    });

  const output = (events: ProcessEvent[]) =>
    events.map((event) => (event.type === "output" ? utf8(event.data) : "")).join("");

  it("the broker: a FluxError after the output so far, and the handle says why it has no session", async () => {
    const { broker, flux } = await doomedBroker();
    const statuses: Status[] = [];
    flux.status$.subscribe((status) => statuses.push(status));

    const { events, end } = await follow(flux, "echo before; exec sleep 2");
    await broker.kill();
    const error = await end;
    expect(error).toBeInstanceOf(FluxError);
    expect(error).toMatchObject({ code: "ECONNRESET", topic: "rexec.exec" });
    expect(output(events)).toBe("before\n");
    // The process was running, and its end is unknown: the outcome says so, and has no made-up status.
    expect(events.at(-1)).toMatchObject({
      type: "finished",
      outcome: { kind: "unknown", cause: { code: "ECONNRESET" } },
    });

    // The proxy lives, and reports the state of the broker.
    await until(
      () => statuses.some((status) => status.state === "connecting" && status.attempt > 1),
      "again",
    );
    const reasons = statuses.flatMap((status) => (status.state === "connecting" && status.error) || []);
    expect(reasons[0]).toMatchObject({ code: "ECONNRESET", message: expect.stringContaining("4503") });
    expect(reasons.at(-1)?.message).toMatch(/broker/);
    // A request waits for the next session, as long as its signal says.
    const listed = list(flux, { signal: AbortSignal.timeout(50) }).get();
    await expect(listed).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("the broker: collect gives the output so far, with an unknown outcome, before the error", async () => {
    const { broker, flux } = await doomedBroker();
    const collected: CompletedProcess[] = [];
    const running = exec(flux, sh("echo before; exec sleep 2")).pipe(
      tap((event) => void (event.type === "output" && broker.kill())),
      collect(),
      tap((process) => collected.push(process)),
    );
    expect(await failure(lastValueFrom(running))).toMatchObject({ code: "ECONNRESET" });
    expect(collected.map(({ stdout, outcome }) => [utf8(stdout), outcome])).toMatchObject([
      ["before\n", { kind: "unknown", cause: { code: "ECONNRESET" } }],
    ]);
  });

  it("the proxy, and another takes its place: a FluxError, and Flux ends the foreground processes", async () => {
    const broker = await startEmbeddedBroker({ size: 2 });
    cleanups.push(() => broker.close());
    const { jwks, token } = await keys();
    const proxy = await proxyVictim(broker.uri, jwks);
    const flux = client(proxy.line, token);
    const statuses: Status[] = [];
    flux.status$.subscribe((status) => statuses.push(status));
    const background = await rexecBg(flux, ["sleep", "60"], { label: "stays" }).getPid();
    const { events, end } = await follow(flux, "echo before; exec sleep 60");
    const pid = (events[0] as { pid: number }).pid;
    await proxy.kill();
    const port = Number(new URL(proxy.line).port);
    const second = await createProxy({ uri: broker.uri, jwks, issuer, audience, port });
    cleanups.push(() => second.close());

    const error = await end;
    expect(error).toBeInstanceOf(FluxError);
    expect(error).toMatchObject({ code: "ECONNRESET", topic: "rexec.exec" });
    expect(output(events)).toBe("before\n");
    expect(events.at(-1)).toMatchObject({
      type: "finished",
      outcome: { kind: "unknown", cause: { code: "ECONNRESET" } },
    });
    // The same handle goes on, in a new session.
    await untilGone(flux, pid);
    expect((await list(flux).getProcesses()).map((process) => process.pid)).toEqual([background]);
    const states = statuses.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]);
    expect(states).toEqual(["connecting", "open", "resuming", "connecting", "open"]);
  });

  it("the proxy, and no other takes its place: a FluxError after the last attempt", async () => {
    const broker = await startEmbeddedBroker({ size: 1 });
    cleanups.push(() => broker.close());
    const { jwks, token } = await keys();
    const proxy = await proxyVictim(broker.uri, jwks);
    const flux = client(proxy.line, token, { count: 2, delay: () => 20 });
    const { events, end } = await follow(flux, "echo before; exec sleep 60");
    await proxy.kill();
    expect(await end).toMatchObject({ code: "ECONNREFUSED", topic: "rexec.exec" });
    expect(events.at(-1)).toMatchObject({ type: "finished", outcome: { kind: "unknown" } });
  });

  it("the process: its outcome, and a clean completion", async () => {
    const broker = await startEmbeddedBroker({ size: 2 });
    cleanups.push(() => broker.close());
    const { jwks, token } = await keys();
    const proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience });
    cleanups.push(() => proxy.close());
    const { events, end } = await follow(client(proxy.url, token), "echo before; exec sleep 60");
    process.kill((events[0] as { pid: number }).pid, "SIGKILL");
    expect(await end).toBe("complete");
    expect(output(events)).toBe("before\n");
    expect(events).toContainEqual({ type: "finished", rank: 0, outcome: { kind: "signaled", signal: 9 } });
  });

  it("the broker while it gets input: the source is stopped", async () => {
    const { broker, flux } = await doomedBroker();
    let returned = false;
    async function* endless() {
      try {
        for (;;) yield new Uint8Array(65536);
      } finally {
        returned = true;
      }
    }
    const end = failure(
      new Promise<void>((resolve, reject) => {
        let bytes = 0;
        exec(flux, ["cat"], { stdin: endless() }).subscribe({
          next: (event) => {
            if (event.type !== "output") return;
            bytes += event.data.length;
            if (bytes > 4 * 1024 * 1024) void broker.kill();
          },
          error: reject,
          complete: resolve,
        });
      }),
    );
    expect(await end).toMatchObject({ code: "ECONNRESET" });
    await until(() => returned, "the source was stopped");
  });

  it("wait: a FluxError, and no status", async () => {
    const { broker, flux } = await doomedBroker();
    const pid = await rexecBg(flux, ["sleep", "2"], { waitable: true }).getPid();
    const status = failure(wait(flux, { pid }).getStatus());
    await list(flux).get();
    await broker.kill();
    expect(await status).toMatchObject({ code: "ECONNRESET", topic: "rexec.wait" });
  });
});

describe("out of reach", () => {
  it("a proxy that is not there: ECONNREFUSED, for the status and for every request", async () => {
    const flux = connect("ws://127.0.0.1:9", { token: "x", retry: false });
    expect(await failure(kill(flux, { pid: 1 }).get())).toMatchObject({
      code: "ECONNREFUSED",
      topic: "rexec.kill",
    });
    expect(await lastValueFrom(flux.status$)).toMatchObject({
      state: "closed",
      error: { code: "ECONNREFUSED" },
    });
  });

  it("a token that is refused: EACCES, with the reason", async () => {
    const broker = await startEmbeddedBroker({ size: 1 });
    const [good, other] = await Promise.all([keys(), keys()]);
    const proxy = await createProxy({ uri: broker.uri, jwks: good.jwks, issuer, audience });
    const flux = connect(proxy.url, { token: other.token });
    const error = await failure(list(flux).get());
    expect(error.code).toBe("EACCES");
    expect(error.message).toMatch(/token/);
    await proxy.close();
    await broker.close();
  });

  it("a token function that fails: EACCES, with its error as the cause", async () => {
    const broker = await startEmbeddedBroker({ size: 1 });
    const { jwks } = await keys();
    const proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience });
    const reason = new Error("the vault is shut");
    const flux = connect(proxy.url, { token: () => Promise.reject(reason), retry: { count: 2 } });
    const error = await failure(list(flux).get());
    expect(error).toMatchObject({ code: "EACCES", reason: "the token source failed: the vault is shut" });
    await proxy.close();
    await broker.close();
  });

  it("a broker that is not there: the proxy does not start", async () => {
    const { jwks } = await keys();
    const uri = "local:///no/such/socket";
    expect(await failure(createProxy({ uri, jwks, issuer, audience }))).toMatchObject({ code: "ENOENT" });
  });
});
