import { describe, expect, it } from "vitest";
import { openFlux, settled } from "../../support/peer.js";

describe("Flux.rpc", () => {
  it("sends topic, payload and rank, and gives the payload of the answer", async () => {
    const { flux, proxy } = await openFlux();
    const answer = flux.rpc("attr.get", { name: "size" }, { nodeid: 3 }).get();
    await settled();
    expect(proxy.received).toEqual([
      {
        type: "request",
        id: 1,
        topic: "attr.get",
        nodeid: "3",
        streaming: false,
        payload: { name: "size" },
        timeout: 30_000,
      },
    ]);
    proxy.send({ type: "response", id: 1, rank: 3, payload: { value: "4" } });
    expect(await answer).toEqual({ value: "4" });
  });

  it("goes to any rank with an empty payload by default", async () => {
    const { flux, proxy } = await openFlux();
    flux.rpc("a.b").subscribe({ error: () => {} });
    await settled();
    expect(proxy.requests).toMatchObject([{ nodeid: "any", payload: {} }]);
  });

  it("sends the payload as it was at the subscription", async () => {
    const { flux, proxy } = await openFlux();
    const payload = { n: 1 };
    const rpc = flux.rpc("a.b", payload);
    payload.n = 2;
    rpc.subscribe({ error: () => {} });
    payload.n = 3;
    await settled();
    expect(proxy.requests).toMatchObject([{ payload: { n: 2 } }]);
  });

  it("gives a refusal of the broker as an error", async () => {
    const { flux, proxy } = await openFlux();
    const answer = flux.rpc("a.b", {}, { nodeid: 2 }).get();
    await settled();
    proxy.send({ type: "error", id: 1, rank: 2, errno: 38, message: "No service matching a.b" });
    await expect(answer).rejects.toMatchObject({
      name: "FluxError",
      errno: 38,
      code: "ENOSYS",
      reason: "No service matching a.b",
      topic: "a.b",
      rank: 2,
    });
  });

  it.each([-1, 1.5, Number.NaN, 0xffffffff, "1", "all"])("refuses the nodeid %j at once", async (nodeid) => {
    const { flux } = await openFlux();
    expect(() => flux.rpc("a.b", {}, { nodeid: nodeid as number })).toThrow(TypeError);
  });

  it.each(["", "a\0b", 7])("refuses the topic %j at once: the proxy would end the session", async (topic) => {
    const { flux } = await openFlux();
    expect(() => flux.rpc(topic as string)).toThrow(TypeError);
  });
});

describe("Flux", () => {
  it("is closed by close and by dispose", async () => {
    for (const close of ["close", Symbol.asyncDispose] as const) {
      const { flux, proxy } = await openFlux();
      const ends: unknown[] = [];
      flux.rpc("a.b").subscribe({ error: (error) => ends.push(error.code) });
      await settled();
      await flux[close]();
      await settled();
      expect([ends, proxy.closed]).toEqual([["ECANCELED"], { code: 1000, reason: "", opened: true }]);
    }
  });

  it("may be closed by the receiver of an answer", async () => {
    const { flux, proxy } = await openFlux();
    const events: unknown[] = [];
    flux.rpc("a.b").subscribe({
      next: (answer) => {
        events.push(answer);
        flux.close();
      },
      error: (error) => events.push(error.code),
      complete: () => events.push("completed"),
    });
    await settled();
    proxy.send({ type: "response", id: 1, rank: 0, payload: { n: 1 } });
    await settled();
    expect(events).toEqual([{ n: 1 }, "completed"]);
  });
});
