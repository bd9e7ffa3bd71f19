import { filter, firstValueFrom, take } from "rxjs";
import { describe, expect, it } from "vitest";
import { type ProcessTable, Subprocess, type WatchOptions, watch } from "../../../../src/index.js";
import { failed, type Outgoing, openFlux, Recorder, settled } from "../../../support/peer.js";

const proc = (pid: number, state = "R") => ({ pid, cmd: "sh", label: "", state });

const difference = (rank: number, procs: object[], gone: number[] = [], id = 1): Outgoing => ({
  type: "response",
  id,
  rank,
  payload: { rank, procs, gone },
});

const failing = (rank: number, errno: number, message = ""): Outgoing => ({
  type: "response",
  id: 1,
  rank,
  payload: { errno, message },
});

async function watching(options?: WatchOptions) {
  const { flux, proxy } = await openFlux();
  const recorder = new Recorder<ProcessTable>();
  const subscription = watch(flux, options).subscribe(recorder);
  await settled();
  const send = async (...messages: Outgoing[]) => {
    proxy.send(...messages);
    await settled();
  };
  return { flux, proxy, send, recorder, subscription, ...recorder };
}

const pids = ({ processes }: ProcessTable) => processes.map(({ rank, pid }) => `${rank}:${pid}`);

describe("watch", () => {
  it.each<[WatchOptions | undefined, object]>([
    [undefined, { topic: "rexec.list", nodeid: "all", payload: { interval: 1000 } }],
    [
      { nodeid: "0-3,7", service: "sdexec", interval: 5 },
      { topic: "sdexec.list", nodeid: "0-3,7", payload: { interval: 5 } },
    ],
    [
      { nodeid: 2, sign: true },
      { topic: "rexec.list", nodeid: "2", payload: { interval: 1000 }, sign: true },
    ],
  ])("sends %j", async (options, request) => {
    const { proxy } = await watching(options);
    expect(proxy.received).toEqual([{ type: "request", id: 1, streaming: true, ...request }]);
  });

  it.each([
    [{ interval: 0 }],
    [{ interval: -1 }],
    [{ interval: 1.5 }],
    [{ interval: Number.POSITIVE_INFINITY }],
    [{ interval: "1" as never }],
    [{ nodeid: "" }],
    [{ nodeid: -1 }],
    [{ service: "a b" }],
    [{ service: "frob" }],
  ])("refuses wrong options at once: %j", async (options) => {
    const { flux, proxy } = await openFlux();
    expect(() => watch(flux, options)).toThrow(TypeError);
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("gives the table when every rank was heard of, by rank and by pid", async () => {
    const { send, values } = await watching({ nodeid: "0-2" });
    await send(difference(2, [proc(9), proc(7)]), difference(0, [proc(8, "Z")]));
    expect(values).toEqual([]);
    await send(difference(1, []));
    expect(values).toEqual([
      {
        processes: [
          new Subprocess({ pid: 8, rank: 0, state: "Z", label: "-", cmd: "sh" }),
          new Subprocess({ pid: 7, rank: 2, state: "R", label: "-", cmd: "sh" }),
          new Subprocess({ pid: 9, rank: 2, state: "R", label: "-", cmd: "sh" }),
        ],
        errors: [],
      },
    ]);
  });

  it("gives a table that is empty", async () => {
    const { send, values } = await watching({ nodeid: 0 });
    await send(difference(0, []));
    expect(values).toEqual([{ processes: [], errors: [] }]);
  });

  it("keeps unchanged rows, errors and arrays", async () => {
    const { send, values } = await watching({ nodeid: "0-2" });
    await send(difference(0, [proc(1), proc(2)]), difference(1, [proc(1)]), failing(2, 113));
    await send(difference(0, [proc(2, "Z"), proc(3)]));
    const [a, b] = values as [ProcessTable, ProcessTable];
    expect(pids(b)).toEqual(["0:1", "0:2", "0:3", "1:1"]);
    expect(b.processes[0]).toBe(a.processes[0]);
    expect(b.processes[1]).not.toBe(a.processes[1]);
    expect(b.processes[3]).toBe(a.processes[2]);
    expect(b.errors).toBe(a.errors);
    await send(failing(1, 110, "late"));
    const c = values[2] as ProcessTable;
    expect(pids(c)).toEqual(["0:1", "0:2", "0:3"]);
    expect(c.errors).toMatchObject([
      { code: "ETIMEDOUT", reason: "late", rank: 1, topic: "rexec.list" },
      { code: "EHOSTUNREACH", rank: 2 },
    ]);
    expect(c.errors[1]).toBe(a.errors[0]);
    await send(difference(1, []));
    const d = values[3] as ProcessTable;
    expect(d.processes).toBe(c.processes);
    expect(d.errors).toEqual([a.errors[0]]);
    // Only a change emits a table, and no table is ever changed.
    await send(difference(0, [proc(3)], [77]), failing(2, 113));
    expect(values).toHaveLength(4);
    expect(pids(a)).toEqual(["0:1", "0:2", "1:1"]);
  });

  it("has the rank that answers in its rows, be it another than was asked", async () => {
    const { send, values } = await watching({ nodeid: "any" });
    await send({ type: "response", id: 1, rank: 0, payload: { rank: 3, procs: [proc(1)], gone: [] } });
    expect(values.map(pids)).toEqual([["3:1"]]);
  });

  it("goes on when a rank is over, and completes when all are", async () => {
    const { proxy, send, values, ends } = await watching({ nodeid: "0-1" });
    await send(
      failed(1, 1, 0, "token does not allow list: ranks"),
      difference(1, [proc(1)]),
      difference(1, [], [1]),
    );
    expect(values.map(({ processes, errors }) => [processes.length, errors.length])).toEqual([
      [1, 1],
      [0, 1],
    ]);
    await send(failed(1, 1, 1, "token does not allow list: scope"));
    expect(values[2]?.errors.map(({ rank, code, reason }) => [rank, code, reason])).toEqual([
      [0, "EPERM", "token does not allow list: ranks"],
      [1, "EPERM", "token does not allow list: scope"],
    ]);
    expect(ends).toEqual(["completed"]);
    expect(proxy.received).toHaveLength(1);
  });

  it.each([
    [{ rank: 0, procs: [] }],
    [{ rank: 0, procs: [{ pid: 1 }], gone: [] }],
    [{ rank: 0, procs: [], gone: ["1"] }],
    [{ errno: "1", message: "" }],
    [{}],
  ])("ends with EPROTO, and the watch, where the proxy makes no sense: %j", async (payload) => {
    const { proxy, send, values, ends } = await watching({ nodeid: 0 });
    await send({ type: "response", id: 1, rank: 0, payload });
    expect([values, ends]).toMatchObject([[], [{ code: "EPROTO" }]]);
    expect(proxy.received.at(-1)).toEqual({ type: "detach", id: 1 });
  });

  it("ends in the proxy when it is unsubscribed from, or an operator has enough", async () => {
    const { flux, proxy, send, subscription, values } = await watching({ nodeid: 0 });
    subscription.unsubscribe();
    await send(difference(0, [proc(1)]), failed(1, 125));
    expect([values, proxy.received.slice(1)]).toEqual([[], [{ type: "detach", id: 1 }]]);
    watch(flux, { nodeid: 0 }).pipe(take(1)).subscribe();
    await settled();
    await send(difference(0, [], [], 2));
    expect(proxy.received.at(-1)).toEqual({ type: "detach", id: 2 });
  });

  it("is not sent when it was unsubscribed from before", async () => {
    const { flux, proxy } = await openFlux();
    watch(flux).subscribe().unsubscribe();
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("goes on over another connection", async () => {
    const { flux, proxy, send, values, ends } = await watching({ nodeid: 0 });
    await send(difference(0, [proc(1)]));
    proxy.drop();
    await firstValueFrom(flux.status$.pipe(filter(({ state }) => state === "resuming")));
    await firstValueFrom(flux.status$.pipe(filter(({ state }) => state === "open")));
    await send(difference(0, [proc(2)], [1]));
    expect([values.map(pids), ends]).toEqual([[["0:1"], ["0:2"]], []]);
    expect(proxy.requests).toHaveLength(1);
  });

  it("ends with the FluxError of a session that is lost", async () => {
    const { proxy, send, ends } = await watching({ nodeid: 0 });
    await send(difference(0, [proc(1)]));
    proxy.close(4503, "broker closed the connection");
    await settled();
    expect(ends).toMatchObject([{ code: "ECONNRESET", topic: "rexec.list" }]);
  });
});
