/** Processes of signed requests that are stopped: by signatures of the proxy's, or of the client's. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../../proxy/embedded/index.js";
import { noneSigner } from "../../../../src/signing/none.js";
import { signedPayload } from "../../../../src/signing/signer.js";
import { until } from "../../../support/process.js";
import { IDENTITY } from "../support/memory.js";
import { OpenHarness } from "./open-harness.js";
import { isStopped } from "./proc.js";

const MIB = 1024 * 1024;
const userid = process.getuid?.() ?? 0;
const signer = noneSigner(userid);

describe("a signed process whose output is not consumed", () => {
  let broker: EmbeddedBroker;
  let service: string;
  let h: OpenHarness;
  beforeAll(async () => {
    broker = await startEmbeddedBroker({ size: 1, shells: [{ userid, mechanisms: ["none"] }] });
    service = broker.shells[0] ?? "";
  });
  afterAll(() => broker.close());
  beforeEach(async () => {
    h = await OpenHarness.open(broker.uri, { signer, identity: { ...IDENTITY, userid } });
    h.consumes = false;
  });
  afterEach(() => {
    h.close();
    expect(h.faults).toEqual([]);
  });
  const signed = async (payload: object, topic = `${service}.kill`, by = signer) =>
    (await signedPayload(by, topic, payload)).signature;

  test("is stopped by signatures of the proxy that signed its exec", async () => {
    const pid = await h.exec(1, "yes 0123456 | head -c 8388608", { topic: `${service}.exec`, sign: true });
    await isStopped(pid);
    h.consume(1);
    expect(await h.over(1)).toMatchObject({ type: "end" });
    expect([h.output(1).bytes, h.responseTypes(1)]).toEqual([8 * MIB, ["started", "finished"]]);
  });

  describe("by the client", () => {
    const start = async () => {
      const topic = `${service}.exec`;
      const cmd = { cmdline: ["yes"], env: {}, opts: { stdout_LINE_BUFFER: "false" }, channels: [] };
      return h.exec(1, "", { topic, payload: { signature: await signed({ cmd, flags: 3 }, topic) } });
    };
    const brake = async (pid: number) => ({
      type: "brake",
      id: 1,
      rank: 0,
      stop: await signed({ pid, signum: 19 }),
      cont: await signed({ pid, signum: 18 }),
    });

    test("is stopped by the client's signatures, which may come late", async () => {
      const pid = await start();
      await until(() => h.waiting > 3 * MIB, "output waits");
      h.send(await brake(pid));
      await isStopped(pid);
      const { bytes } = h.output(1);
      h.consume(1);
      await until(() => h.output(1).bytes > bytes + 8 * MIB, "it goes on");
      expect(h.responseTypes(1)).toEqual(["started"]);
    });

    test.each([
      ["process", { stop: (pid: number) => signed({ pid: pid + 1, signum: 19 }) }],
      ["signal", { cont: (pid: number) => signed({ pid, signum: 9 }) }],
      ["topic", { stop: (pid: number) => signed({ pid, signum: 19 }, "rexec.kill") }],
      ["user", { cont: (pid: number) => signed({ pid, signum: 18 }, undefined, noneSigner(userid + 1)) }],
    ])("closes the socket with a brake of another %s", async (what, fields) => {
      const pid = await start();
      const message: Record<string, unknown> = await brake(pid);
      for (const [name, make] of Object.entries(fields)) message[name] = await make(pid);
      const fault = { closeCode: 4400, message: `brake: signature is of another ${what}` };
      expect(() => h.send(message)).toThrow(expect.objectContaining(fault));
    });

    test("closes the socket with a brake of more than a pid, which a label would outdo", async () => {
      const pid = await start();
      const stop = await signed({ pid, signum: 19, label: "another" });
      const message = { ...(await brake(pid)), stop };
      expect(() => h.send(message)).toThrow("brake: signature is of more than a pid and a signal");
    });

    test("closes the socket for a brake before the start, and ignores a brake of a request that is over", async () => {
      const topic = `${service}.exec`;
      const payload = {
        signature: await signed(
          { cmd: { cmdline: ["/no/such/program"], env: {}, opts: {}, channels: [] }, flags: 3 },
          topic,
        ),
      };
      const early = await brake(1);
      h.request(1, "", { topic, payload });
      expect(() => h.send(early)).toThrow("brake: the process has not started");
      await h.over(1);
      h.send(early);
    });
  });

  test("closes the socket with a brake of a request that the client has not signed", async () => {
    const pid = await h.exec(1, "sleep 60");
    const message = { type: "brake", id: 1, rank: 0, stop: await signed({ pid }), cont: "" };
    expect(() => h.send(message)).toThrow("brake: the request is not signed by the client");
  });
});
