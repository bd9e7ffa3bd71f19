import { describe, expect, it, test } from "vitest";
import { exec, Job, job, kill } from "../../../../src/index.js";
import { openFlux, type ScriptedProxy, settled } from "../../../support/peer.js";
import { failure } from "../../../support/process.js";

const ID = 12353248690176n;
const SERVICE = "1000-shell-f6bVwHXsM";
const response = (proxy: ScriptedProxy, payload: object) =>
  proxy.send({
    type: "response",
    id: proxy.requests.at(-1)?.id as number,
    rank: 0,
    payload: payload as never,
  });
const entry = (name: string, context: object = {}) => ({
  event: `${JSON.stringify({ timestamp: 1, name, context })}\n`,
});

async function begin(id: Parameters<typeof job>[1] = "ƒ6bVwHXsM", options?: Parameters<typeof job>[2]) {
  const { flux, proxy } = await openFlux();
  const found = job(flux, id, options);
  found.catch(() => {});
  await settled();
  return { flux, proxy, found };
}

describe("job", () => {
  it("asks for the state and the ranks, then follows the log up to the shell's service, and cancels", async () => {
    const { proxy, found } = await begin();
    expect(proxy.requests).toMatchObject([
      { topic: "job-list.list-id", payload: { id: Number(ID) }, streaming: false },
    ]);
    response(proxy, { job: { id: 1, state: 16, ranks: "2-3" } });
    await settled();
    expect(proxy.requests[1]).toMatchObject({
      topic: "job-info.eventlog-watch",
      payload: { id: Number(ID), path: "guest.exec.eventlog", flags: 1 },
      streaming: true,
    });
    response(proxy, entry("init"));
    response(proxy, entry("shell.init", { service: SERVICE, size: 2 }));
    const { id, ranks, service } = await found;
    expect([id, ranks, service.name]).toEqual([ID, [2, 3], `${SERVICE}.rexec`]);
    await settled();
    expect(proxy.received.at(-1)).toEqual({ type: "detach", id: proxy.requests[1]?.id });
  });

  it.each([
    [8, "EAGAIN", "job ƒ6bVwHXsM does not run yet: it is in the state SCHED"],
    [32, "ESRCH", "job ƒ6bVwHXsM has ended"],
    [64, "ESRCH", "job ƒ6bVwHXsM has ended"],
  ])("rejects in the state %i with %s", async (state, code, message) => {
    const { proxy, found } = await begin();
    response(proxy, { job: { id: 1, state } });
    expect(await failure(found)).toMatchObject({ code, message });
  });

  it("rejects with ENOENT for a job that is not there", async () => {
    const { proxy, found } = await begin();
    proxy.send({ type: "error", id: 1, rank: 0, errno: 2, message: "" });
    expect(await failure(found)).toMatchObject({ code: "ENOENT", message: "there is no job ƒ6bVwHXsM" });
  });

  it("rejects with ESRCH if the log ends before the shells are ready", async () => {
    const { proxy, found } = await begin();
    response(proxy, { job: { state: 16, ranks: "0" } });
    await settled();
    proxy.send({ type: "end", id: proxy.requests[1]?.id as number, rank: 0 });
    expect(await failure(found)).toMatchObject({ code: "ESRCH" });
  });

  it("rejects with ETIMEDOUT, and cancels, if the shells are not ready in time", async () => {
    const { proxy, found } = await begin(ID, { answerTimeout: 50 });
    response(proxy, { job: { state: 16, ranks: "0" } });
    await settled();
    response(proxy, entry("starting"));
    expect(await failure(found)).toMatchObject({ code: "ETIMEDOUT" });
    await settled();
    expect(proxy.received.at(-1)).toMatchObject({ type: "detach" });
  });

  it("rejects with EPROTO for an answer without a state", async () => {
    const { proxy, found } = await begin();
    response(proxy, {});
    expect(await failure(found)).toMatchObject({ code: "EPROTO" });
  });

  it("rejects with TypeError for what is no id, and sends nothing", async () => {
    const { proxy, found } = await begin("nap");
    await expect(found).rejects.toThrow(new TypeError('not a job id: "nap"'));
    expect(proxy.requests).toEqual([]);
  });
});

describe("a Job", () => {
  const four = new Job(ID, [4, 5, 7, 9], `${SERVICE}.rexec`);
  const service = `${SERVICE}.rexec`;

  test("gives the options of its nodes, which count from 0", () => {
    expect(four.node()).toEqual({ service, nodeid: 4 });
    expect(four.node(3)).toEqual({ service, nodeid: 9 });
    expect(four.nodes()).toEqual({ service, nodeid: "4-5,7,9" });
    expect(four.nodes("0,2-3")).toEqual({ service, nodeid: "4,7,9" });
    expect(four.nodes([3, 0, 3])).toEqual({ service, nodeid: "4,9" });
  });

  test("has no node beyond the last one", () => {
    for (const index of [4, -1, 0.5]) expect(() => four.node(index)).toThrow(RangeError);
    expect(() => four.nodes("3-4")).toThrow("job ƒ6bVwHXsM has nodes 0 to 3, not 4");
    expect(() => four.nodes([])).toThrow(TypeError);
  });

  test("cannot be the options itself: nodeid would be a broker's rank", async () => {
    const { flux } = await openFlux();
    const words = 'unknown option "id"';
    // @ts-expect-error: nor does it compile
    expect(() => exec(flux, ["true"], { ...four, nodeid: 0 })).toThrow(words);
    // @ts-expect-error: nor does it compile
    expect(() => kill(flux, { ...four, pid: 1, nodeid: 0 })).toThrow(words);
  });
});
