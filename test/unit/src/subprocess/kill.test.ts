import { describe, expect, it } from "vitest";
import { attach, type KillOptions, kill, wait } from "../../../../src/index.js";
import { openFlux, settled } from "../../../support/peer.js";

describe("kill", () => {
  it.each<[KillOptions, string, string, object]>([
    [{ pid: 7 }, "rexec.kill", "any", { pid: 7, signum: 15 }],
    [{ label: "l" }, "rexec.kill", "any", { pid: -1, label: "l", signum: 15 }],
    [{ pid: 7, signum: "SIGKILL", nodeid: 3, service: "sdexec" }, "sdexec.kill", "3", { pid: 7, signum: 9 }],
    [{ pid: 7, label: undefined, signum: 34 }, "rexec.kill", "any", { pid: 7, signum: 34 }],
  ])("sends %j", async (options, topic, nodeid, payload) => {
    const { flux, proxy } = await openFlux();
    const done = kill(flux, options).get();
    await settled();
    expect(proxy.received).toEqual([
      { type: "request", id: 1, topic, nodeid, streaming: false, payload, timeout: 30_000 },
    ]);
    const rank = options.nodeid === 3 ? 3 : 0;
    proxy.send({ type: "response", id: 1, rank, payload: { ignored: 1 } });
    expect(await done).toBeUndefined();
  });

  it("is not sent before somebody wants to know", async () => {
    const { flux, proxy } = await openFlux();
    kill(flux, { pid: 7 });
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("refuses a wrong signal at once", async () => {
    const { flux } = await openFlux();
    expect(() => kill(flux, { pid: 7, signum: 0 })).toThrow(TypeError);
  });

  it("asks the proxy to sign when it is to be signed and there is no signer", async () => {
    const { flux, proxy } = await openFlux();
    kill(flux, { pid: 7, sign: true }).subscribe();
    kill(flux, { pid: 7 }).subscribe();
    await settled();
    expect(proxy.requests.map(({ sign }) => sign)).toEqual([true, undefined]);
  });
});

describe("pid and label", () => {
  it.each([
    [{}, "one of pid and label must be given"],
    [{ pid: undefined }, "one of pid and label must be given"],
    [{ pid: 1, label: "l" }, "only one of pid and label may be given"],
    [{ pid: 0 }, "pid is not an integer of 1 to 2147483647"],
    [{ pid: -1 }, "pid is not an integer of 1 to 2147483647"],
    [{ pid: 1.5 }, "pid is not an integer of 1 to 2147483647"],
    [{ pid: 2 ** 31 }, "pid is not an integer of 1 to 2147483647"],
    [{ pid: 2 ** 32 + 7 }, "pid is not an integer of 1 to 2147483647"],
    [{ pid: "7" }, "pid is not an integer of 1 to 2147483647"],
    [{ label: "" }, "label is empty"],
    [{ label: 7 }, "label is not a string"],
  ])("%j is refused at once by all verbs", async (options, message) => {
    const { flux } = await openFlux();
    for (const verb of [kill, wait, attach]) {
      expect(() => verb(flux, options as KillOptions)).toThrow(new TypeError(message));
    }
  });
});

describe("service", () => {
  it.each(["", "a b", "a\0", "a\n", 7])("%j is refused at once", async (service) => {
    const { flux } = await openFlux();
    for (const verb of [kill, wait, attach]) {
      expect(() => verb(flux, { pid: 1, service: service as string })).toThrow(TypeError);
    }
  });
});
