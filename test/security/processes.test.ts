/** `processes`: a process counts until the proxy has its end, whatever happens to the session that started it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  createProxy,
  type GeneratedKeys,
  generateKeys,
  type RunningProxy,
  signToken,
} from "../../proxy/index.js";
import type { RequestMessage } from "../../proxy/wire/message.js";
import { FakeBroker, type FakePeer, withAttributes } from "../unit/proxy/support/fake-broker.js";
import { RawClient } from "../unit/proxy/support/raw-client.js";
import { detail, exec } from "./requests.js";
import { ALL, AUDIENCE, goodClaims, ISSUER, World } from "./world.js";

const REFUSED = { type: "error", errno: 1, message: "token does not allow exec: processes" };
const sleep = { ...exec({ cmdline: ["sleep", "1000"], env: {} }), streaming: false };

describe("on a broker that runs", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  });
  afterAll(() => world.close());

  const rows = async (client: RawClient, id: number) => {
    client.request(id, "rexec.list", {});
    const answer = await client.answer(id);
    if (answer.type !== "response") throw new Error("no list");
    return answer.payload["procs"] as { pid: number; cmd: string }[];
  };

  /** Ten times: a session without grace starts one and is gone before the answer; another lists. @returns how many run */
  async function attack(processes: number, cmd: object = {}): Promise<number> {
    const token = await world.token({ ...goodClaims(), ...detail({ processes }) });
    const before = (await rows(await RawClient.open(world.url(), token), 1)).length;
    const start = exec({ cmdline: ["sleep", "1000"], env: {}, ...cmd });
    let running = 0;
    for (let i = 0; i < 10; i++) {
      const hasty = await RawClient.open(world.url(), token, { grace: 0 });
      hasty.next({ type: "request", id: 1, nodeid: "any", ...start, streaming: false });
      await hasty.close();
      const next = await RawClient.open(world.url(), token);
      for (let id = 1; id <= 5; id++) running = (await rows(next, id)).length - before;
      await next.close();
    }
    return running;
  }

  async function endAll(): Promise<void> {
    const client = await world.open(await world.token());
    for (const [i, { pid }] of (await rows(client, 1)).entries()) {
      client.request(10 + i, "rexec.kill", { pid, signum: 9 });
      await client.answer(10 + i);
    }
    for (let id = 100; (await rows(client, id)).length > 0; id++);
    await client.close();
  }
  afterEach(endAll);

  test("sessions that are closed before the answer start no more than one process", async () => {
    expect(await attack(1)).toBe(1);
  });

  test("nor with a label, nor one label after the other", async () => {
    expect(await attack(1, { label: "a" })).toBe(1);
  });

  test("where ten are allowed, ten run", async () => {
    expect(await attack(10)).toBe(10);
  });

  test("once it is gone, and a list shows it, another may start", async () => {
    const claims = detail({ processes: 1 });
    const token = await world.token({ ...goodClaims(), ...claims });
    const hasty = await RawClient.open(world.url(), token, { grace: 0 });
    hasty.next({ type: "request", id: 1, nodeid: "any", ...sleep });
    await hasty.close();
    const next = await RawClient.open(world.url(), token);
    let id = 1;
    while ((await rows(next, id)).length === 0) id++;
    next.next({ type: "request", id: ++id, nodeid: "any", ...sleep });
    expect(await next.answer(id)).toMatchObject(REFUSED);
    await endAll();
    while ((await rows(next, ++id)).length > 0);
    next.next({ type: "request", id: ++id, nodeid: "any", ...sleep });
    expect(await next.answer(id)).toMatchObject({ type: "response", payload: { type: "started" } });
    await next.close();
  });
});

describe("on a broker whose answers are lost", () => {
  let keys: GeneratedKeys;
  let broker: FakeBroker;
  let proxy: RunningProxy;
  let token: string;
  let subject = 0;
  beforeAll(async () => {
    keys = await generateKeys();
    broker = await FakeBroker.start({ respond: withAttributes() });
    proxy = await createProxy({ uri: broker.uri, jwks: keys.jwks, issuer: ISSUER, audience: AUDIENCE });
  });
  afterAll(async () => {
    await proxy.close();
    await broker.close();
  });
  beforeEach(async () => {
    token = await signToken(keys.privateJwk, {
      ...{ issuer: ISSUER, audience: AUDIENCE, subject: `subject-${++subject}`, ttlSeconds: 60, scope: ALL },
      details: [{ type: "flux_subprocess", actions: ALL.split(" "), processes: 1 }],
    });
  });

  let table: { pid: number; label: string }[] = [];
  /** The broker's answer to a start. */
  const starting = (start: (request: RequestMessage, peer: FakePeer) => void) => {
    table = [];
    broker.respond = withAttributes((request, peer) => {
      if (request.topic === "rexec.exec") start(request, peer);
      else peer.respond(request.matchtag, { payload: { rank: 0, procs: table } });
    });
  };
  const open = (fields: object = {}) => RawClient.open(proxy.url, token, fields);
  const start = (client: RawClient, id: number) =>
    client.next({ type: "request", id, nodeid: "0", ...sleep });
  const list = async (client: RawClient, id: number) => {
    client.request(id, "rexec.list", {}, { nodeid: "0" });
    await client.answer(id);
  };

  const LOST: [string, (request: RequestMessage, peer: FakePeer) => void][] = [
    ["it never comes, and the session is closed", () => {}],
    ["the broker dies", (_, peer) => peer.socket.destroy()],
    ["it is no JSON", ({ matchtag }, peer) => peer.respond(matchtag, { payload: "nonsense" })],
    ["it has no pid", ({ matchtag }, peer) => peer.respond(matchtag, { payload: { type: "started" } })],
    ["it is no Flux message", (_, peer) => peer.socket.write("nonsense nonsense")],
  ];
  test.each(LOST)("%s: it counts until a list has nothing that it can be", async (_, lose) => {
    starting(lose);
    const first = await open({ grace: 0 });
    start(first, 1);
    await broker.until(() => broker.peers.some(({ requests }) => requests.at(-1)?.topic === "rexec.exec"));
    await Promise.race([first.answer(1), first.closed, first.ws.close(1000)]);
    await first.close();
    table = [{ pid: 7, label: "" }];
    const next = await open();
    for (let id = 1; id <= 3; id++) await list(next, id);
    start(next, 4);
    expect(await next.answer(4)).toMatchObject(REFUSED);
    table = [{ pid: 8, label: "" }];
    let id = 5;
    starting(({ matchtag }, peer) => peer.respond(matchtag, { payload: { type: "started", pid: 9 } }));
    table = [{ pid: 8, label: "" }];
    // The proxy may learn a moment later than the client that a connection is over.
    for (;;) {
      await list(next, id++);
      start(next, id);
      const answer = await next.answer(id++);
      if (answer.type === "response") break;
      expect(answer).toMatchObject(REFUSED);
    }
    await next.close();
  });

  test.each(LOST.slice(2, 4))("%s: the session that has it need not end for that", async (_, lose) => {
    starting(lose);
    const client = await open();
    start(client, 1);
    await client.answer(1);
    start(client, 2);
    expect(await client.answer(2)).toMatchObject(REFUSED);
    await list(client, 3);
    start(client, 4);
    expect(await client.answer(4)).not.toMatchObject(REFUSED);
    await client.close();
  });

  test.each([
    [
      "an error of the broker",
      ({ matchtag }: RequestMessage, peer: FakePeer) => peer.respond(matchtag, { errnum: 2 }),
    ],
    [
      "EPROTO of the broker",
      ({ matchtag }: RequestMessage, peer: FakePeer) => peer.respond(matchtag, { errnum: 71 }),
    ],
    [
      "ECONNRESET of the broker",
      ({ matchtag }: RequestMessage, peer: FakePeer) => peer.respond(matchtag, { errnum: 104 }),
    ],
  ])("%s says that it never came to be", async (_, answer) => {
    starting(answer);
    const client = await open();
    for (let id = 1; id <= 3; id++) {
      start(client, id);
      const refused = await client.answer(id);
      expect(refused.type).toBe("error");
      expect(refused).not.toMatchObject(REFUSED);
    }
    await client.close();
  });

  test("a broker that reads the start late is waited for, though lists come before", async () => {
    starting(() => {});
    const first = await open({ grace: 0 });
    const late = broker.peers.at(-1) as FakePeer;
    late.socket.pause();
    start(first, 1);
    await first.close();
    const next = await open();
    for (let id = 1; id <= 3; id++) await list(next, id);
    start(next, 4);
    expect(await next.answer(4)).toMatchObject(REFUSED);
    late.socket.resume();
    await late.closed;
    expect(late.requests.at(-1)?.topic).toBe("rexec.exec");
    starting(({ matchtag }, peer) => peer.respond(matchtag, { payload: { type: "started", pid: 9 } }));
    for (let id = 5; ; ) {
      await list(next, id++);
      start(next, id);
      if ((await next.answer(id++)).type === "response") break;
    }
    await next.close();
  });
});
