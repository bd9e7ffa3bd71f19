import { describe, expect, it } from "vitest";
import { exec, hosts, kill, RankError, spawn, watch } from "../../../../src/index.js";
import { failed, finished, openFlux, Recorder, settled, started } from "../../../support/peer.js";

const answer = (id: number, ranks: string, names: unknown) =>
  ({ type: "response", id, rank: 0, payload: { ranks, hosts: names } }) as const;

const question = (id: number, text: string) => ({
  type: "request",
  id,
  topic: "flux-subprocess.hosts",
  nodeid: "any",
  streaming: false,
  payload: { hosts: text },
});

describe("a nodeid that names hosts", () => {
  it("asks the proxy for the ranks, and then sends the request to them", async () => {
    const { flux, proxy } = await openFlux();
    exec(flux, ["a"], { nodeid: "node[1-2]" }).subscribe(new Recorder());
    await settled();
    expect(proxy.received).toEqual([question(1, "node[1-2]")]);
    proxy.send(answer(1, "1-2", ["node1", "node2"]));
    await settled();
    expect(proxy.requests[1]).toMatchObject({ topic: "rexec.exec", nodeid: "1-2" });
    expect(proxy.requests[1]).not.toHaveProperty("one");
  });

  it.each(["any", "all", "0-3,7", "[0-1]", 3, [1, 2]])("does not ask for %j", async (nodeid) => {
    const { flux, proxy } = await openFlux();
    watch(flux, { nodeid }).subscribe(new Recorder());
    await settled();
    expect(proxy.requests.map(({ topic }) => topic)).toEqual(["rexec.list"]);
  });

  it("fails with the proxy's error, and sends nothing, if there is no such host", async () => {
    const { flux, proxy } = await openFlux();
    const recorder = new Recorder();
    exec(flux, ["a"], { nodeid: "node9" }).subscribe(recorder);
    const rejected = kill(flux, { label: "l", nodeid: "node9" })
      .settle()
      .catch((error: unknown) => error);
    await settled();
    proxy.send(failed(1, 113, 0, "no such host: node9"), failed(2, 113, 0, "no such host: node9"));
    await settled();
    expect(recorder.ends).toMatchObject([
      { code: "EHOSTUNREACH", reason: "no such host: node9", topic: "rexec.exec" },
    ]);
    expect(await rejected).toMatchObject({ code: "EHOSTUNREACH", topic: "rexec.kill" });
    expect(proxy.requests).toHaveLength(2);
  });

  it.each([
    [{ ranks: "0-1", hosts: ["a"] }],
    [{ ranks: "x", hosts: ["a"] }],
    [{ ranks: "0", hosts: [7] }],
    [{ ranks: 0, hosts: ["a"] }],
    [{}],
  ])("refuses an answer that is not ranks and hosts: %j", async (payload) => {
    const { flux, proxy } = await openFlux();
    const recorder = new Recorder();
    exec(flux, ["a"], { nodeid: "node9" }).subscribe(recorder);
    await settled();
    proxy.send({ type: "response", id: 1, rank: 0, payload });
    await settled();
    expect(recorder.ends).toMatchObject([{ code: "EPROTO" }]);
    expect(proxy.requests).toHaveLength(1);
  });

  it("fails if the names are too long to be asked for, and goes on", async () => {
    const { flux, proxy } = await openFlux();
    const recorder = new Recorder();
    exec(flux, ["a"], { nodeid: `node[1-2],${"n".repeat(1 << 20)}` }).subscribe(recorder);
    exec(flux, ["b"], { nodeid: 0 }).subscribe(new Recorder());
    await settled();
    expect(recorder.ends).toMatchObject([{ code: "EMSGSIZE", subject: "exec a" }]);
    expect(proxy.requests.map(({ nodeid }) => nodeid)).toEqual(["0"]);
  });

  it("asks again in the next session, and sends the request once", async () => {
    const { flux, proxy } = await openFlux();
    exec(flux, ["a"], { nodeid: "node2" }).subscribe(new Recorder());
    await settled();
    proxy.onHello = () => proxy.welcome();
    proxy.close(1001, "stop");
    await settled();
    await flux.reconnect();
    await settled();
    const id = proxy.requests.at(-1)?.id as number;
    proxy.send(answer(id, "3", ["node2"]));
    await settled();
    expect(proxy.requests.map(({ topic, nodeid }) => [topic, nodeid])).toEqual([
      ["flux-subprocess.hosts", "any"],
      ["flux-subprocess.hosts", "any"],
      ["rexec.exec", "3"],
    ]);
  });

  it("is not sent if its caller leaves while the ranks are asked for", async () => {
    const { flux, proxy } = await openFlux();
    exec(flux, ["a"], { nodeid: "node2" }).subscribe(new Recorder()).unsubscribe();
    const subscription = exec(flux, ["a"], { nodeid: "node2" }).subscribe(new Recorder());
    await settled();
    subscription.unsubscribe();
    proxy.send(answer(1, "3", ["node2"]));
    await settled();
    expect(proxy.requests.map(({ topic }) => topic)).toEqual(["flux-subprocess.hosts"]);
  });

  it("names the hosts in errors", async () => {
    const { flux, proxy } = await openFlux();
    const settledRanks = kill(flux, { label: "l", nodeid: "node[1-2],login" });
    const rejected = settledRanks.get().catch((error: unknown) => error);
    await settled();
    proxy.send(answer(1, "1-3", ["node1", "node2", "login"]));
    await settled();
    const id = proxy.requests[1]?.id as number;
    proxy.send(failed(id, 3, 1), failed(id, 3, 3), failed(id, 110, 2));
    const error = (await rejected) as RankError;
    expect(error).toBeInstanceOf(RankError);
    expect(error.errors.map(({ rank, host }) => [rank, host])).toEqual([
      [1, "node1"],
      [2, "node2"],
      [3, "login"],
    ]);
    expect(error.message).toBe(
      "kill l on ranks 1,3 (node1,login): ESRCH; kill l on rank 2 (node2): ETIMEDOUT",
    );
  });

  it("may have several ranks, but not for a pid, and not for spawn", async () => {
    const { flux, proxy } = await openFlux();
    const pid = kill(flux, { pid: 7, nodeid: "vm" })
      .get()
      .catch((error: unknown) => error);
    const { status } = spawn(flux, ["a"], { nodeid: "vm" });
    const label = kill(flux, { label: "l", nodeid: "vm" }).get();
    await settled();
    for (const id of [1, 2, 3]) proxy.send(answer(id, "0,2", ["vm", "vm"]));
    await settled();
    const message = "vm is ranks 0,2";
    expect(await pid).toMatchObject({ code: "EINVAL", reason: message });
    await expect(status).rejects.toMatchObject({ code: "EINVAL", reason: message });
    expect(proxy.requests.slice(3)).toMatchObject([{ topic: "rexec.kill", nodeid: "0,2" }]);
    const id = proxy.requests[3]?.id as number;
    for (const rank of [0, 2]) proxy.send({ type: "response", id, rank, payload: {} });
    expect(await label).toEqual([{ rank: 0 }, { rank: 2 }]);
    expect(() => spawn(flux, ["a"], { nodeid: "0-1" })).toThrow(
      new TypeError('spawn has one rank, and nodeid is "0-1"'),
    );
  });

  it("spawns on a host with one rank", async () => {
    const { flux, proxy } = await openFlux();
    const { pid, status } = spawn(flux, ["a"], { nodeid: "node3" });
    await settled();
    proxy.send(answer(1, "3", ["node3"]));
    await settled();
    const id = proxy.requests[1]?.id as number;
    proxy.send(started(id, 3), finished(id, 0, 3), { type: "end", id, rank: 3 });
    expect([await pid, (await status).code]).toEqual([103, 0]);
  });
});

describe("hosts", () => {
  it("gives the names by rank", async () => {
    const { flux, proxy } = await openFlux();
    const names = hosts(flux).get();
    await settled();
    expect(proxy.requests[0]).toMatchObject({ topic: "flux-subprocess.hosts", nodeid: "any", payload: {} });
    proxy.send(answer(1, "0-1,3", ["a", "b", "d"]));
    expect([...(await names)]).toEqual([
      [0, "a"],
      [1, "b"],
      [3, "d"],
    ]);
  });

  it("refuses text that names nothing at once", async () => {
    const { flux } = await openFlux();
    expect(() => hosts(flux, { hosts: "" })).toThrow(new TypeError("hosts is empty"));
  });
});
