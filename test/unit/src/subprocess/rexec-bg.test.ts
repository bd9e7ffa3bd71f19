import { describe, expect, it } from "vitest";
import { type RexecBgOptions, rexecBg } from "../../../../src/index.js";
import { openFlux, settled } from "../../../support/peer.js";

const cmd = { cmdline: ["a", "b"], env: {}, opts: {}, channels: [] };

describe("rexecBg", () => {
  it.each<[RexecBgOptions, string, string, object]>([
    [{}, "rexec.exec", "any", { cmd, flags: 0 }],
    [{ waitable: true }, "rexec.exec", "any", { cmd, flags: 16 }],
    [
      {
        nodeid: 3,
        service: "sdexec",
        label: "l",
        cwd: "/",
        checkCwd: false,
        env: { A: "1" },
        opts: { x: "y" },
      },
      "sdexec.exec",
      "3",
      { cmd: { ...cmd, label: "l", cwd: "/", env: { A: "1" }, opts: { x: "y" } }, flags: 0 },
    ],
  ])("sends %j", async (options, topic, nodeid, payload) => {
    const { flux, proxy } = await openFlux();
    rexecBg(flux, ["a", "b"], options).subscribe({ error: () => {} });
    await settled();
    expect(proxy.received).toEqual([
      { type: "request", id: 1, topic, nodeid, streaming: false, payload, timeout: 30_000 },
    ]);
  });

  it.each(["stdout", "stderr"])("refuses %s in chunks, which can end a broker", async (stream) => {
    const { flux, proxy } = await openFlux();
    const opts = (value: string) => ({ opts: { [`${stream}_LINE_BUFFER`]: value } });
    for (const value of ["false", "FALSE"])
      expect(() => rexecBg(flux, ["a"], opts(value))).toThrow(
        new TypeError(`opts.${stream}_LINE_BUFFER is "false" in background`),
      );
    rexecBg(flux, ["a"], opts("true")).subscribe({ error: () => {} });
    await settled();
    expect(proxy.received).toHaveLength(1);
  });

  it.each([
    ["any", 2],
    [3, 3],
  ] as const)("gives pid and rank: nodeid %j", async (nodeid, rank) => {
    const { flux, proxy } = await openFlux({ rank: 2 });
    const rpc = rexecBg(flux, ["a"], { nodeid });
    const answers = Promise.all([rpc.getPid(), rpc.getRank(), rpc.get()]);
    await settled();
    proxy.send({ type: "response", id: 1, rank, payload: { type: "started", pid: 77 } });
    expect(await answers).toEqual([77, rank, { service: "rexec", rank, pid: 77 }]);
    expect(proxy.requests).toHaveLength(1);
  });

  it("gives the rank that has answered, also after a new session with a broker of another rank", async () => {
    const { flux, proxy } = await openFlux({ rank: 2 });
    const rpc = rexecBg(flux, ["a"]);
    const pid = rpc.getPid();
    await settled();
    proxy.send({ type: "response", id: 1, rank: 2, payload: { type: "started", pid: 77 } });
    await pid;
    proxy.onHello = () => proxy.welcome({ rank: 3 });
    proxy.close(1001, "stop");
    await settled();
    await flux.reconnect();
    expect(flux.session.status).toMatchObject({ state: "open", rank: 3 });
    expect(await rpc.getRank()).toBe(2);
  });

  it.each([{}, { type: "started" }, { type: "started", pid: "7" }, { type: "finished", pid: 7 }])(
    "refuses an answer that RFC 42 does not have: %j",
    async (payload) => {
      const { flux, proxy } = await openFlux();
      const pid = rexecBg(flux, ["a"]).getPid();
      await settled();
      proxy.send({ type: "response", id: 1, rank: 0, payload });
      await expect(pid).rejects.toMatchObject({ code: "EPROTO", rank: 0 });
    },
  );

  it("refuses a wrong argument at once", async () => {
    const { flux } = await openFlux();
    expect(() => rexecBg(flux, [])).toThrow(TypeError);
    expect(() => rexecBg(flux, ["a"], { nodeid: -1 })).toThrow(TypeError);
  });
});
