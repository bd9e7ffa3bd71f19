import { firstValueFrom, lastValueFrom, retry, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { kill, list, RankError, type RanksRpc, rexecBg, wait } from "../../../src/index.js";
import { failed, type Outgoing, openFlux, Recorder, settled } from "../../support/peer.js";

const done = (id: number, rank: number, payload: Record<string, unknown> = {}): Outgoing => ({
  type: "response",
  id,
  rank,
  payload,
});

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("RanksRpc", () => {
  it("sends one request to all ranks, and gives their values sorted by rank", async () => {
    const { flux, proxy } = await openFlux();
    const killed = kill(flux, { label: "l", nodeid: [0, 3, 1] });
    await settled();
    expect(proxy.received).toEqual([]);
    const values = killed.get();
    await settled();
    expect(proxy.received).toEqual([
      {
        type: "request",
        id: 1,
        topic: "rexec.kill",
        nodeid: "0,1,3",
        streaming: false,
        payload: { pid: -1, label: "l", signum: 15 },
        timeout: 30_000,
      },
    ]);
    proxy.send(done(1, 3), done(1, 0), done(1, 1));
    expect(await values).toEqual([{ rank: 0 }, { rank: 1 }, { rank: 3 }]);
  });

  it("emits each value when it comes, and shares all of them with later users", async () => {
    const { flux, proxy } = await openFlux();
    const killed = kill(flux, { label: "l", nodeid: "all" });
    const early = new Recorder();
    killed.subscribe(early);
    await settled();
    proxy.send(done(1, 2), done(1, 1));
    await settled();
    expect(early).toMatchObject({ values: [{ rank: 2 }, { rank: 1 }], ends: [] });
    const between = new Recorder();
    killed.subscribe(between);
    expect(between.values).toEqual(early.values);
    proxy.send(done(1, 0), done(1, 3));
    await settled();
    for (const { values, ends } of [early, between]) {
      expect(values).toEqual([{ rank: 2 }, { rank: 1 }, { rank: 0 }, { rank: 3 }]);
      expect(ends).toEqual(["completed"]);
    }
    expect(await killed).toHaveLength(4);
    expect(await killed.settle()).toMatchObject({ results: { length: 4 }, errors: [] });
    expect(proxy.requests).toHaveLength(1);
  });

  it("fails at the end with a RankError that has the results, whichever way it is used", async () => {
    const { flux, proxy } = await openFlux();
    const killed = kill(flux, { label: "l", nodeid: "0-3" });
    const recorder = new Recorder();
    killed.subscribe(recorder);
    const settledRanks = killed.settle();
    const awaited = failure(Promise.resolve(killed));
    await settled();
    proxy.send(done(1, 3), failed(1, 3, 2, "no such label"), done(1, 0), failed(1, 113, 1));
    const error = (await awaited) as RankError;
    expect(error).toBeInstanceOf(RankError);
    expect(error).toMatchObject({ ranks: "1-2", results: [{ rank: 0 }, { rank: 3 }] });
    expect(error.errors.map(({ rank, code, topic }) => [rank, code, topic])).toEqual([
      [1, "EHOSTUNREACH", "rexec.kill"],
      [2, "ESRCH", "rexec.kill"],
    ]);
    expect(await settledRanks).toEqual({ results: error.results, errors: error.errors });
    expect(recorder.values).toEqual([{ rank: 3 }, { rank: 0 }]);
    expect(recorder.ends).toEqual([error]);
    expect(proxy.requests).toHaveLength(1);
  });

  it("takes an error for several ranks as one error for each", async () => {
    const { flux, proxy } = await openFlux();
    const settledRanks = kill(flux, { label: "l", nodeid: "2-9" }).settle();
    await settled();
    proxy.send(done(1, 2), done(1, 3), { type: "error", id: 1, ranks: "4-9", errno: 113, message: "" });
    const { results, errors } = await settledRanks;
    expect(results).toEqual([{ rank: 2 }, { rank: 3 }]);
    expect(errors.map(({ rank }) => rank)).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it("does not keep answers with a failure: retry sends the request again", async () => {
    const { flux, proxy } = await openFlux();
    proxy.onMessage = (message) => {
      if (message.type !== "request") return;
      const { id } = message;
      proxy.send(done(id, 0), proxy.requests.length < 3 ? failed(id, 110, 1) : done(id, 1));
    };
    const values = lastValueFrom(kill(flux, { label: "l", nodeid: "0-1" }).pipe(retry(2), toArray()));
    // Those of each try: a value cannot be taken back.
    expect((await values).map(({ rank }) => rank)).toEqual([0, 0, 0, 1]);
    expect(proxy.requests).toHaveLength(3);
  });

  it("knows nothing of the ranks without an answer when the session is lost", async () => {
    const { flux, proxy } = await openFlux();
    const settledRanks = kill(flux, { label: "l", nodeid: "0-2" }).settle();
    await settled();
    proxy.send(done(1, 1));
    await settled();
    proxy.close(1001, "stop");
    const { results, errors } = await settledRanks;
    expect(results).toEqual([{ rank: 1 }]);
    expect(errors.map(({ rank, code, topic }) => [rank, code, topic])).toEqual([
      [0, "ECONNRESET", "rexec.kill"],
      [2, "ECONNRESET", "rexec.kill"],
    ]);
  });

  it("settle rejects if nothing was sent", async () => {
    const { flux } = await openFlux();
    flux.close();
    expect(await failure(kill(flux, { label: "l", nodeid: "0-2" }).settle())).toMatchObject({
      code: "ESHUTDOWN",
      rank: undefined,
    });
    const aborted = AbortSignal.abort(new Error("no longer"));
    const second = await openFlux();
    const rpc = kill(second.flux, { label: "l", nodeid: "0-2", signal: aborted });
    expect(await failure(rpc.settle())).toEqual(new Error("no longer"));
    await settled();
    expect(second.proxy.requests).toEqual([]);
  });

  it("is a RanksRpc by the form of nodeid, also for one rank", async () => {
    const { flux, proxy } = await openFlux();
    const rpcs: RanksRpc<{ rank: number }>[] = [
      kill(flux, { pid: 7, nodeid: [3] }),
      kill(flux, { pid: 7, nodeid: "3" }),
    ];
    for (const [i, rpc] of rpcs.entries()) {
      const values = rpc.get();
      await settled();
      proxy.send(done(i + 1, 3));
      expect(await values).toEqual([{ rank: 3 }]);
    }
  });

  it("puts the rank into the error of an answer that RFC 42 does not have", async () => {
    const { flux, proxy } = await openFlux();
    for (const [verb, topic] of [
      [() => list(flux, { nodeid: "0-1" }), "rexec.list"],
      [() => wait(flux, { label: "l", nodeid: "0-1" }), "rexec.wait"],
      [() => rexecBg(flux, ["a"], { nodeid: "0-1" }), "rexec.exec"],
    ] as const) {
      const before = proxy.requests.length;
      const settledRanks = verb().settle();
      await settled();
      const id = 1 + 2 * before;
      proxy.send(done(id, 1, { wrong: true }), failed(id, 38, 0));
      const { results, errors } = await settledRanks;
      expect(results).toEqual([]);
      expect(errors.map(({ rank, code, topic }) => [rank, code, topic])).toEqual([
        [0, "ENOSYS", topic],
        [1, "EPROTO", topic],
      ]);
    }
  });
});

describe("the verbs on several ranks", () => {
  it("list gives the answers of all ranks, and their processes", async () => {
    const { flux, proxy } = await openFlux();
    const listed = list(flux, { nodeid: "1-2", service: "sdexec" });
    const processes = listed.getProcesses();
    await settled();
    const proc = (pid: number) => ({ pid, cmd: "a", label: "", state: "R" });
    proxy.send(done(1, 2, { rank: 2, procs: [proc(8)] }), done(1, 1, { rank: 1, procs: [proc(9), proc(7)] }));
    expect((await processes).map(({ ref }) => ref)).toEqual([
      { service: "sdexec", rank: 1, pid: 9 },
      { service: "sdexec", rank: 1, pid: 7 },
      { service: "sdexec", rank: 2, pid: 8 },
    ]);
    expect((await listed).map(({ rank }) => rank)).toEqual([1, 2]);
    expect(proxy.requests).toHaveLength(1);
  });

  it("wait gives status, outcome and output of each rank, without a deadline", async () => {
    const { flux, proxy } = await openFlux();
    const waited = wait(flux, { label: "l", nodeid: [0, 1] }).get();
    await settled();
    expect(proxy.requests[0]).not.toHaveProperty("timeout");
    const output = [{ stream: "stdout", rank: "1", data: "hi" }];
    proxy.send(done(1, 1, { status: 0x200, output }), done(1, 0, { status: 9 }));
    const bytes = (text: string) => new TextEncoder().encode(text);
    expect(await waited).toEqual([
      {
        rank: 0,
        status: 9,
        outcome: { kind: "signaled", signal: 9 },
        output: [],
        stdout: bytes(""),
        stderr: bytes(""),
      },
      {
        rank: 1,
        status: 0x200,
        outcome: { kind: "exited", code: 2 },
        output,
        stdout: bytes("hi"),
        stderr: bytes(""),
      },
    ]);
  });

  it("rexecBg gives a reference for each rank", async () => {
    const { flux, proxy } = await openFlux();
    const first = firstValueFrom(rexecBg(flux, ["a"], { nodeid: "0-1", service: "x.rexec" }));
    await settled();
    proxy.send(done(1, 1, { type: "started", pid: 7 }));
    expect(await first).toEqual({ service: "x.rexec", rank: 1, pid: 7 });
  });
});
