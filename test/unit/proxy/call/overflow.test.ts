/** Output that the client does not consume is dropped, or its process ended: on the embedded broker. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readPermissions } from "../../../../proxy/auth/permissions.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../../proxy/embedded/index.js";
import { until } from "../../../support/process.js";
import { IDENTITY } from "../support/memory.js";
import { OpenHarness } from "./open-harness.js";

const MIB = 1024 * 1024;

describe("output that the client does not consume", () => {
  let broker: EmbeddedBroker;
  let h: OpenHarness;
  beforeAll(async () => {
    broker = await startEmbeddedBroker({ size: 1 });
  });
  afterAll(() => broker.close());
  beforeEach(async () => {
    h = await OpenHarness.open(broker.uri);
    h.consumes = false;
  });
  afterEach(() => {
    h.close();
    expect(h.faults).toEqual([]);
  });
  const gapBytes = () => h.messages.reduce((sum, m) => sum + (m.type === "gap" ? m.bytes : 0), 0);

  test("gap: the oldest is dropped, and a gap stands in its place", async () => {
    h.request(1, "seq -w 2000000", { overflow: "gap" });
    await until(() => h.responseTypes(1).includes("finished"), "it runs to its end");
    expect(h.waiting).toBeLessThanOrEqual(MIB);
    expect(gapBytes()).toBe(0);
    h.consume(1);
    expect(await h.over(1)).toMatchObject({ type: "end" });
    expect(h.output(1).bytes + gapBytes()).toBe(16_000_000);
    // The first output, a hole, and the last output.
    expect(h.text(1).slice(0, 8)).toBe("0000001\n");
    expect(h.text(1).slice(-8)).toBe("2000000\n");
    expect(h.messages.filter(({ type }) => type === "gap")).toHaveLength(1);
  });

  test("gap: an attach that says nothing has it", async () => {
    const pid = await h.exec(1, "exec yes", { streaming: false });
    await h.attach(2, pid);
    await until(() => h.waiting > MIB / 2, "output waits");
    await until(() => h.waiting > MIB - 65_536, "as much as may");
    expect(await h.kill(3, { pid }, 9)).toBe(0);
    expect(h.waiting).toBeLessThanOrEqual(MIB);
    h.consume(2);
    expect(await h.over(2)).toMatchObject({ type: "end" });
    expect(h.responseTypes(2)).toEqual(["attached", "finished"]);
  });

  test("kill: ends the process, and an error follows the output so far", async () => {
    h.request(1, "exec yes", { overflow: "kill" });
    const finished = await h.message(1, (m) => m.type === "response" && m.payload["type"] === "finished");
    expect(finished).toMatchObject({ payload: { status: 9 } });
    expect(h.waiting).toBeLessThan(2 * MIB);
    h.consume(1);
    const last = await h.over(1);
    expect(last).toMatchObject({ type: "error", errno: 105 });
    expect(last).toMatchObject({ message: expect.stringMatching(/^killed: .* \d+ bytes/) });
    expect(h.output(1).bytes).toBeGreaterThan(2 * MIB);
    expect(h.messages.at(-1)).toBe(last);
  });

  test("stop and kill of an attach need the permission to send those signals", async () => {
    const pid = await h.exec(1, "exec sleep 60", { streaming: false });
    const details = [
      { type: "flux_subprocess", actions: ["attach"] },
      { type: "flux_subprocess", actions: ["kill"], signals: ["SIGSTOP", "SIGCONT"] },
    ];
    const identity = { ...IDENTITY, permissions: readPermissions(undefined, details) };
    const limited = await OpenHarness.open(broker.uri, { identity });
    const payload = { pid, flags: 3 };
    const attach = { type: "request", topic: "rexec.attach", nodeid: "0", streaming: true, payload };
    limited.send({ ...attach, id: 1, overflow: "kill" });
    const refused = { errno: 1, message: "token does not allow kill: signals" };
    expect(await limited.over(1)).toMatchObject(refused);
    await limited.attach(2, pid, "stop");
    limited.close();
    expect(await h.kill(3, { pid }, 9)).toBe(0);
  });
});
