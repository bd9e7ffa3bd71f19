/** docs/errors.md has an error for each code, provoked here and compared with the page. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { lastValueFrom } from "rxjs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy } from "../../proxy/index.js";
import {
  attach,
  connect,
  exec,
  type Flux,
  FluxError,
  kill,
  rexecBg,
  stdout,
  wait,
  watch,
  write,
} from "../../src/index.js";

/** The rows of the page: code, cause, text. */
const ROWS = readFileSync("docs/errors.md", "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, code, , text] = /^\| `(E[A-Z]+)` +\| (.*?) +\| `(.*?)` +\|$/.exec(line) ?? [];
    return code && text ? [[code, text] as const] : [];
  });

const issuer = "https://issuer.test";
const audience = "flux-subprocess";

type Broker = Awaited<ReturnType<typeof startEmbeddedBroker>>;
type Proxy = Awaited<ReturnType<typeof createProxy>>;
let broker: Broker;
let proxy: Proxy;
let keys: Awaited<ReturnType<typeof generateKeys>>;
const handles: Flux[] = [];

beforeAll(async () => {
  broker = await startEmbeddedBroker({ size: 4 });
  keys = await generateKeys();
  proxy = await createProxy({ uri: broker.uri, jwks: keys.jwks, issuer, audience });
});

afterAll(async () => {
  for (const flux of handles) flux.close();
  await proxy.close();
  await broker.close();
});

const token = (ttlSeconds = 3600, scope?: string) =>
  signToken(keys.privateJwk, { issuer, audience, subject: "tester", ttlSeconds, scope });

const open = async (options: { url?: string; token?: string } = {}): Promise<Flux> => {
  const flux = connect(options.url ?? proxy.url, {
    token: options.token ?? (await token()),
    retry: { first: false },
  });
  handles.push(flux);
  return flux;
};

const failure = (result: PromiseLike<unknown>): Promise<FluxError> =>
  Promise.resolve(result).then(
    () => Promise.reject(new Error("it succeeded")),
    (error) => error,
  );

const refusedBy = async (status: string, secure = false): Promise<FluxError> => {
  const server = createServer().on("upgrade", (_, socket) => socket.end(`HTTP/1.1 ${status}\r\n\r\n`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `${secure ? "wss" : "ws"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const error = await failure((await open({ url })).rpc("attr.get", { name: "size" }));
  server.close();
  return error;
};

/** The first error of many requests. */
const overLimit = async (code: string, send: (failed: (error: FluxError) => void) => void) =>
  new Promise<FluxError>((resolve) => send((error) => error.code === code && resolve(error)));

const PROVOKE: Record<string, () => Promise<FluxError>> = {
  EPERM: async () => failure(kill(await open({ token: await token(60, "exec") }), { label: "nap" })),
  ENOENT: async () => failure(lastValueFrom(exec(await open(), ["no-such-program"]))),
  ESRCH: async () => failure(kill(await open(), { label: "gone" })),
  EACCES: async () => failure(lastValueFrom(exec(await open(), ["/etc/passwd"], { nodeid: 2 }))),
  EBUSY: async () => {
    const flux = await open();
    const started = new Promise<void>((resolve) => {
      exec(flux, ["sleep", "60"], { label: "mine" }).subscribe({ next: () => resolve(), error: () => {} });
    });
    await started;
    return failure(lastValueFrom(attach(flux, { label: "mine" })));
  },
  EINVAL: async () => {
    const flux = await open();
    await rexecBg(flux, ["sleep", "60"], { label: "twice" });
    return failure(rexecBg(flux, ["sleep", "60"], { label: "twice" }));
  },
  EMFILE: async () => {
    const flux = await open();
    return overLimit("EMFILE", (failed) => {
      for (let n = 0; n < 400; n++) attach(flux, { label: `none${n}` }).subscribe({ error: failed });
    });
  },
  ENOSYS: async () => failure(rexecBg(await open(), ["true"], { service: "no-shell.rexec" })),
  EPROTO: () => refusedBy("502 Bad Gateway"),
  EPIPE: async () => failure(write(await open(), { matchtag: 1 }, "late")),
  EMSGSIZE: async () => failure(lastValueFrom(exec(await open(), ["true", "x".repeat(1 << 20)]))),
  ENOBUFS: async () => {
    const flux = await open();
    return overLimit("ENOBUFS", (failed) => {
      for (let n = 0; n < 70; n++) {
        watch(flux, { nodeid: 0 }).subscribe({
          next: ({ errors }) => errors.forEach(failed),
          error: () => {},
        });
      }
    });
  },
  ECONNRESET: async () => {
    const other = await createProxy({ uri: broker.uri, jwks: keys.jwks, issuer, audience });
    const flux = await open({ url: other.url });
    const running = lastValueFrom(exec(flux, ["sleep", "60"]).pipe(stdout()));
    await flux.rpc("attr.get", { name: "size" });
    const error = failure(running);
    await other.close();
    return error;
  },
  ENOTCONN: async () => {
    const flux = await open();
    flux.close();
    return failure(flux.reconnect());
  },
  ESHUTDOWN: async () => {
    const flux = await open();
    flux.close();
    return failure(flux.rpc("attr.get"));
  },
  ETIMEDOUT: async () => {
    const flux = await open();
    await rexecBg(flux, ["sleep", "60"], { label: "long", waitable: true, nodeid: 1 });
    return failure(wait(flux, { label: "long", nodeid: 1, answerTimeout: 200 }));
  },
  ECONNREFUSED: async () => failure((await open({ url: "ws://127.0.0.1:9" })).rpc("attr.get")),
  EHOSTUNREACH: async () => failure(lastValueFrom(exec(await open(), ["hostname"], { nodeid: 9 }))),
  ECANCELED: async () => {
    const flux = await open();
    const error = failure(flux.rpc("attr.get").get());
    flux.close();
    return error;
  },
  EKEYEXPIRED: async () =>
    failure(lastValueFrom(exec(await open({ token: await token(2) }), ["sleep", "60"]))),
  EKEYREJECTED: () => refusedBy("200 OK", true),
  EADDRNOTAVAIL: async () => failure((await open({ url: "ws://nowhere.invalid" })).rpc("attr.get")),
};

it("has a row for each code here, and no other", () => {
  expect(ROWS.map(([code]) => code)).toEqual(Object.keys(PROVOKE));
});

it.each(ROWS)(
  "%s: %s",
  async (code, text) => {
    const error = await (PROVOKE[code] as () => Promise<FluxError>)();
    expect(error).toBeInstanceOf(FluxError);
    expect(error.code).toBe(code);
    // "…" is what the runtime or the system says.
    const parts = text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    expect(error.message).toMatch(new RegExp(`^${parts.join(".*")}$`, "s"));
    // The caller's frame: this file.
    expect(error.stack).toContain("errors.test.ts");
  },
  20_000,
);
