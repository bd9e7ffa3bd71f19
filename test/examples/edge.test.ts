import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Miniflare } from "miniflare";
import { from, lastValueFrom, map, toArray } from "rxjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Flux, FluxError, list, type ProcessEvent } from "../../src/index.js";
import { parseBlock, SseReader } from "../support/sse.js";
import { type Stack, startStack } from "../support/stack.js";

const here = (name: string) => new URL(`../../examples/edge/${name}`, import.meta.url);
const { serve } = await import(here("serve.mjs").href);
const { serverSentEvents } = await import(here("events.mjs").href);

const FLOOD = "a line that is written as fast as it is taken";
const COMMANDS = {
  ticks: { command: ["sh", "-c", "while :; do echo tick; sleep 0.05; done"], nodeid: 1 },
  silent: { command: ["sleep", "600"] },
  stubborn: { command: ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"] },
  flood: { command: ["yes", FLOOD] },
  euro: {
    command: ["sh", "-c", "printf '\\342\\202'; sleep 0.3; printf '\\254'; printf '\\342' >&2; exit 3"],
  },
  bytes: { command: ["printf", "\\377\\000\\n"], encoding: "base64" },
  everywhere: { command: ["echo", "{word}"], parameters: { word: "[a-z ]+" }, nodeid: "all" },
  missing: { command: ["/no/such/program"] },
};

let stack: Stack;
let flux: Flux;
let worker: Miniflare;
let address: URL;

beforeAll(async () => {
  stack = await startStack({ size: 2 });
  flux = stack.connect();
  worker = await serve({ port: 0, bindings: bindings() });
  address = await worker.ready;
}, 60_000);

afterAll(async () => {
  await worker?.dispose();
  await stack?.close();
});

function bindings(token = stack.token) {
  return { FLUX_SUBPROCESS_URL: stack.url, FLUX_SUBPROCESS_TOKEN: token, COMMANDS };
}

const at = (path: string, base = address) => new URL(path, base);
const read = (path: string) => SseReader.open(at(path));

async function pids(): Promise<number[]> {
  const ranks = await Promise.all([0, 1].map((nodeid) => list(flux, { nodeid }).getProcesses()));
  return ranks.flat().map(({ pid }) => pid);
}

async function expectGone(pid: number): Promise<void> {
  await expect.poll(pids, { timeout: 20_000 }).not.toContain(pid);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
}

const stateOf = (pid: number) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

test.skipIf(spawnSync("curl", ["--version"]).error)(
  "examples/edge streams a process's output to curl, and the process ends when curl does",
  async () => {
    const curl = spawn("curl", ["-sN", at("run/ticks").href], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(curl.stdout)[Symbol.asyncIterator]();
    const data: Record<string, unknown>[] = [];
    while (data.length < 4) {
      const { value } = await lines.next();
      if (value.startsWith("data: ")) data.push(JSON.parse(value.slice(6)));
    }
    const pid = data[0]?.["pid"] as number;
    expect(data.slice(1)).toContainEqual({ rank: 1, stream: "stdout", text: "tick\n" });
    expect(await pids()).toEqual([pid]);
    expect(existsSync(`/proc/${pid}`)).toBe(true);

    curl.kill();
    await once(curl, "close");
    await expectGone(pid);
  },
);

test.concurrent.each(["silent", "stubborn"])(
  "a process that is %s ends when its reader goes away",
  async (name) => {
    const reader = await read(`run/${name}`);
    const { event, data } = await reader.next();
    expect(event).toBe("started");
    // "ready" shows that the trap is set.
    if (name === "stubborn") expect((await reader.next()).data.text).toBe("ready\n");
    expect(await pids()).toContain(data.pid);
    reader.close();
    await expectGone(data.pid);
  },
);

test("a slow reader slows the process", async () => {
  const reader = await read("run/flood");
  const { pid } = (await reader.next()).data;
  await expect.poll(() => stateOf(pid), { timeout: 20_000 }).toBe("T");

  // The output from before the stop is complete and in order, and the process goes on after it is read.
  let text = "";
  while (stateOf(pid) === "T") text += (await reader.next()).data.text;
  const written = `${FLOOD}\n`.repeat(text.length / FLOOD.length).slice(0, text.length);
  expect(text === written).toBe(true);
  reader.close();
  await expectGone(pid);
});

test("a process ends when its Worker disappears", async () => {
  const other: Miniflare = await serve({ port: 0, bindings: bindings() });
  const reader = await SseReader.open(at("run/silent", await other.ready));
  const { pid } = (await reader.next()).data;
  expect(await pids()).toContain(pid);
  await other.dispose();
  await expectGone(pid);
});

test("each event has its rank and stream, and each rank has an outcome", async () => {
  const events = await (await read("run/everywhere?word=two%20words")).rest();
  for (const rank of [0, 1]) {
    const [started, ...others] = events.filter(({ data }) => data.rank === rank);
    expect(started).toEqual({ event: "started", data: { rank, pid: expect.any(Number) } });
    expect(others).toHaveLength(2);
    expect(others).toContainEqual({ event: "output", data: { rank, stream: "stdout", text: "two words\n" } });
    expect(others).toContainEqual({
      event: "finished",
      data: { rank, outcome: { kind: "exited", code: 0 } },
    });
  }
  expect(events.at(-1)).toEqual({ event: "end", data: {} });
});

test("text is decoded across chunks, and half a character becomes U+FFFD", async () => {
  const events = await (await read("run/euro")).rest();
  const texts = (stream: string) =>
    events.filter(({ data }) => data.stream === stream).map(({ data }) => data.text);
  expect(texts("stdout")).toEqual(["€"]);
  expect(texts("stderr")).toEqual(["\ufffd"]);
  expect(events).toContainEqual({
    event: "finished",
    data: { rank: 0, outcome: { kind: "exited", code: 3 } },
  });
});

test("bytes are encoded as base64", async () => {
  const events = await (await read("run/bytes")).rest();
  expect(events).toContainEqual({ event: "output", data: { rank: 0, stream: "stdout", base64: "/wAK" } });
});

test("a failure after the answer has begun is an event", async () => {
  const events = await (await read("run/missing")).rest();
  expect(events).toEqual([
    {
      event: "error",
      data: {
        code: "ENOENT",
        message: expect.stringMatching(
          /^exec .* on rank 0: error launching process: No such file or directory \(ENOENT\)$/,
        ),
      },
    },
  ]);
});

test("gaps, stops, errors of one rank and unknown outcomes are events", async () => {
  const error = new FluxError("EHOSTUNREACH", "no such rank", { rank: 7 });
  const events: ProcessEvent[] = [
    { type: "output", rank: 7, stream: "stdout", data: Uint8Array.of(0x41, 0xe2) },
    { type: "gap", rank: 7, stream: "stdout", bytes: 9 },
    { type: "output", rank: 7, stream: "stdout", data: Uint8Array.of(0xef, 0xbb, 0xbf, 0x42) },
    { type: "stopped", rank: 7 },
    { type: "error", rank: 7, error },
    { type: "finished", rank: 7, outcome: { kind: "unknown", cause: error } },
  ];
  const decoder = new TextDecoder();
  const blocks$ = from(events).pipe(
    serverSentEvents("text"),
    map((bytes) => parseBlock(decoder.decode(bytes as Uint8Array).trimEnd())),
    toArray(),
  );
  const cause = { code: "EHOSTUNREACH", message: "no such rank" };
  expect(await lastValueFrom(blocks$)).toEqual([
    { event: "output", data: { rank: 7, stream: "stdout", text: "A" } },
    { event: "output", data: { rank: 7, stream: "stdout", text: "\ufffd" } },
    { event: "gap", data: { rank: 7, stream: "stdout", bytes: 9 } },
    { event: "output", data: { rank: 7, stream: "stdout", text: "\ufeffB" } },
    { event: "stopped", data: { rank: 7 } },
    { event: "error", data: { rank: 7, ...cause } },
    { event: "finished", data: { rank: 7, outcome: { kind: "unknown", cause } } },
    { event: "end", data: {} },
  ]);
});

test.each([
  ["run/rm", {}, 403, "not permitted: rm; permitted: ticks, "],
  ["run/constructor", {}, 403, "not permitted: constructor; "],
  ["", {}, 404, "no such path: /; use /run/NAME"],
  ["run/silent/x", {}, 404, "no such path: /run/silent/x; "],
  ["run/silent", { method: "POST" }, 405, "method POST is not allowed; use GET"],
  ["run/silent", { headers: { "sec-fetch-site": "cross-site" } }, 403, "a page of another site "],
  ["run/silent?rank=1", {}, 400, "no such parameter: rank"],
  ["run/everywhere", {}, 400, "the parameter word must be given once"],
  ["run/everywhere?word=a&word=b", {}, 400, "the parameter word must be given once"],
  ["run/everywhere?word=a;b", {}, 400, "the parameter word must match [a-z ]+"],
  ["run/everywhere?word=a%0A", {}, 400, "the parameter word must match [a-z ]+"],
])("/%s %o is refused with %i", async (path, init, status, message) => {
  const response = await fetch(at(path), init);
  expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(message)]);
  expect(await pids()).toEqual([]);
});

test("an EventSource that reconnects after the end gets 204, and nothing runs", async () => {
  const response = await fetch(at("run/silent"), { headers: { "last-event-id": "2" } });
  expect(response.status).toBe(204);
  expect(await pids()).toEqual([]);
});

test("if the proxy refuses the Worker's token, the answer is 502 with the reason", async () => {
  const other: Miniflare = await serve({ port: 0, bindings: bindings("not-a-token") });
  try {
    const response = await fetch(at("run/silent", await other.ready));
    expect([response.status, await response.text()]).toEqual([
      502,
      expect.stringContaining("token is not a signed JWT"),
    ]);
  } finally {
    await other.dispose();
  }
});

test("examples/edge/serve.mjs serves what wrangler.json permits", async () => {
  const { FLUX_SUBPROCESS_URL, FLUX_SUBPROCESS_TOKEN } = bindings();
  const server = spawn(process.execPath, [here("serve.mjs").pathname], {
    env: { ...process.env, FLUX_SUBPROCESS_URL, FLUX_SUBPROCESS_TOKEN, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(createInterface(server.stdout), "line")) as [string];
    const url = /^curl -N (http:.*)run\/clock$/.exec(line)?.[1] ?? `not the line: ${line}`;
    const events = await (await SseReader.open(new URL("run/count?last=3", url))).rest();
    expect(events[1]).toEqual({ event: "output", data: { rank: 0, stream: "stdout", text: "1\n2\n3\n" } });
  } finally {
    server.kill();
    await once(server, "close");
  }
});
