import { NEVER } from "rxjs";
import { describe, expect, it } from "vitest";
import { exec, write } from "../../../../src/index.js";
import { end, finished, inputOf, openFlux, settled, started } from "../../../support/peer.js";

async function running(channels: string[] = []) {
  const { flux, proxy } = await openFlux();
  exec(flux, ["a"], { stdin: NEVER, channels, nodeid: "0-1" }).subscribe({ error: () => {} });
  await settled();
  proxy.send(started(1, 0), started(1, 1));
  await settled();
  return { flux, proxy };
}

const process = { matchtag: 1 };

describe("write", () => {
  it("waits for credit, and completes when all is sent", async () => {
    const { flux, proxy } = await running();
    const done = write(flux, process, "héy", { eof: true }).get();
    await settled();
    expect(proxy.received).toHaveLength(1);
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 100 });
    expect(await done).toBeUndefined();
    await settled();
    expect(Buffer.from(inputOf(proxy), "latin1").toString()).toBe("héy");
    expect(proxy.received.at(-1)).toEqual({ type: "eof", id: 1, stream: "stdin" });
  });

  it("goes to the channel that it names, with its own credit", async () => {
    const { flux, proxy } = await running(["C"]);
    proxy.send({ type: "credit", id: 1, stream: "C", bytes: 100 });
    await settled();
    write(flux, process, "x").subscribe({ error: () => {} });
    await write(flux, process, "y", { stream: "C" }).get();
    await settled();
    expect([inputOf(proxy), inputOf(proxy, "C")]).toEqual(["", "y"]);
  });

  it("sends once, however often it is asked for", async () => {
    const { flux, proxy } = await running();
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 100 });
    await settled();
    const rpc = write(flux, process, "x");
    await Promise.all([rpc.get(), rpc.get()]);
    await rpc.get();
    await settled();
    expect(inputOf(proxy)).toBe("x");
  });

  it("can be the end alone", async () => {
    const { flux, proxy } = await running();
    await write(flux, process, "", { eof: true }).get();
    await settled();
    expect(proxy.received.slice(1)).toEqual([{ type: "eof", id: 1, stream: "stdin" }]);
  });

  it("fails with EPIPE when the process is over, and when it ends before", async () => {
    const { flux, proxy } = await running();
    const waiting = write(flux, process, "x").get();
    proxy.send(finished(1, 0, 0), end(1, 0), finished(1, 0, 1), end(1, 1));
    await expect(waiting).rejects.toMatchObject({ code: "EPIPE" });
    await expect(write(flux, process, "x").get()).rejects.toMatchObject({ code: "EPIPE" });
    await expect(write(flux, { matchtag: 99 }, "x").get()).rejects.toMatchObject({ code: "EPIPE" });
  });

  it("fails with EPIPE within the callback of the last message", async () => {
    const { flux, proxy } = await openFlux();
    const codes: unknown[] = [];
    const late = () => {
      const failed = (error: { code: string }) => codes.push(error.code);
      write(flux, process, "x", { stream: "C" }).subscribe({ next: () => codes.push("sent"), error: failed });
    };
    exec(flux, ["a"], { stdin: NEVER, channels: ["C"] }).subscribe({ complete: late });
    await settled();
    proxy.send(started(1), finished(1), end(1));
    await settled();
    expect(codes).toEqual(["EPIPE"]);
  });

  it.each(["", "a\0", "x".repeat(256)])(
    "refuses %j at once: the proxy would end the session",
    async (stream) => {
      const { flux } = await running();
      expect(() => write(flux, process, "x", { stream })).toThrow(TypeError);
    },
  );

  it("refuses data that is neither text nor bytes at once", async () => {
    const { flux } = await running();
    expect(() => write(flux, process, 7 as unknown as string)).toThrow(TypeError);
  });
});
