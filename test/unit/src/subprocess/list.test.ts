import { describe, expect, it } from "vitest";
import { list, Subprocess } from "../../../../src/index.js";
import { openFlux, settled } from "../../../support/peer.js";

const answer = async (payload: Record<string, unknown>) => {
  const { flux, proxy } = await openFlux();
  const rpc = list(flux, { nodeid: 2 });
  const processes = rpc.getProcesses();
  processes.catch(() => {});
  await settled();
  expect(proxy.received).toEqual([
    {
      type: "request",
      id: 1,
      topic: "rexec.list",
      nodeid: "2",
      streaming: false,
      payload: {},
      timeout: 30_000,
    },
  ]);
  proxy.send({ type: "response", id: 1, rank: 2, payload });
  await settled();
  return { rpc, processes };
};

const proc = { pid: 7, cmd: "sh", label: "l", state: "R" };

describe("list", () => {
  it("gives the processes, with the rank of the answer and - for no label", async () => {
    const payload = { rank: 2, procs: [proc, { ...proc, pid: 8, label: "", state: "Z" }] };
    const { rpc, processes } = await answer(payload);
    expect(await processes).toEqual([
      new Subprocess({ pid: 7, rank: 2, state: "R", label: "l", cmd: "sh" }),
      new Subprocess({ pid: 8, rank: 2, state: "Z", label: "-", cmd: "sh" }),
    ]);
    expect((await processes)[1]).toEqual(expect.objectContaining({ label: "-" }));
    expect(await rpc.get()).toEqual(payload);
  });

  it.each([
    {},
    { rank: 2 },
    { rank: "2", procs: [] },
    { rank: 2, procs: {} },
    { rank: 2, procs: [null] },
    { rank: 2, procs: [{ ...proc, pid: "7" }] },
    { rank: 2, procs: [proc, { ...proc, cmd: undefined }] },
    { rank: 2, procs: [{ ...proc, label: null }] },
    { rank: 2, procs: [{ ...proc, state: 1 }] },
  ])("refuses an answer that RFC 42 does not have: %j", async (payload) => {
    const { processes } = await answer(payload);
    await expect(processes).rejects.toMatchObject({
      code: "EPROTO",
      rank: 2,
      reason: `an answer that RFC 42 does not have: ${JSON.stringify(payload)}`,
    });
  });
});
