import { describe, expect, it } from "vitest";
import { wait } from "../../../../src/index.js";
import { bytes, openFlux, settled } from "../../../support/peer.js";

const answered = async (payload: Record<string, unknown>) => {
  const { flux, proxy } = await openFlux();
  const rpc = wait(flux, { label: "l" });
  const errors: unknown[] = [];
  rpc.subscribe({ error: (error) => errors.push(error) });
  await settled();
  expect(proxy.received).toEqual([
    {
      type: "request",
      id: 1,
      topic: "rexec.wait",
      nodeid: "any",
      streaming: false,
      payload: { pid: -1, label: "l" },
    },
  ]);
  proxy.send({ type: "response", id: 1, rank: 0, payload });
  await settled();
  return { rpc, errors };
};

describe("wait", () => {
  it("gives status and outcome", async () => {
    const { rpc } = await answered({ status: 512 });
    expect(await rpc.get()).toEqual({ status: 512 });
    expect(await rpc.getStatus()).toBe(512);
    expect(await rpc.getOutcome()).toEqual({ kind: "exited", code: 2 });
  });

  it("gives nothing where nothing was retained", async () => {
    const { rpc } = await answered({ status: 0 });
    expect(await rpc.getOutput()).toEqual([]);
    expect([await rpc.stdout, await rpc.stderr]).toEqual([bytes(""), bytes("")]);
  });

  it("gives the retained output, by stream, in order, decoded", async () => {
    const output = [
      { stream: "stdout", rank: "0", data: "é" },
      { stream: "stderr", rank: "0", data: "err" },
      { stream: "stdout", rank: "0", data: "/w==", encoding: "base64" },
      { stream: "stdout", rank: "0", eof: true },
    ];
    const { rpc } = await answered({ status: 0, output });
    expect(await rpc.getOutput()).toEqual(output);
    expect(await rpc.stdout).toEqual(Uint8Array.of(0xc3, 0xa9, 0xff));
    expect(await rpc.stderr).toEqual(bytes("err"));
  });

  it.each([
    {},
    { status: "0" },
    { status: 1.5 },
    { status: 0, output: {} },
    { status: 0, output: [null] },
    { status: 0, output: [{ rank: "0" }] },
    { status: 0, output: [{ stream: 1, rank: "0" }] },
    { status: 0, output: [{ stream: "stdout", rank: "0", data: 1 }] },
  ])("refuses an answer that RFC 42 does not have: %j", async (payload) => {
    const { errors } = await answered(payload);
    expect(errors).toMatchObject([{ name: "FluxError", code: "EPROTO", rank: 0, topic: "rexec.wait" }]);
  });
});
