import { take } from "rxjs";
import { describe, expect, it } from "vitest";
import { type AttachOptions, attach, type ProcessEvent } from "../../../../src/index.js";
import { end, failed, finished, openFlux, output, Recorder, settled } from "../../../support/peer.js";

const attached = (rank = 0) =>
  ({
    type: "response",
    id: 1,
    rank,
    payload: { type: "attached", pid: 7, cmd: { cmdline: ["a"] } },
  }) as const;

async function following(options: AttachOptions = { label: "l" }) {
  const { flux, proxy } = await openFlux();
  const recorder = new Recorder<ProcessEvent>();
  const subscription = attach(flux, options).subscribe(recorder);
  await settled();
  return { flux, proxy, recorder, subscription, ...recorder };
}

describe("attach", () => {
  it.each<[AttachOptions, string, string, object]>([
    [{ pid: 7 }, "rexec.attach", "any", { pid: 7, flags: 3 }],
    [{ label: "l", stdout: false }, "rexec.attach", "any", { pid: -1, label: "l", flags: 2 }],
    [
      { label: "l", stderr: false, nodeid: "0-1", service: "sdexec" },
      "sdexec.attach",
      "0-1",
      { pid: -1, label: "l", flags: 1 },
    ],
  ])("sends %j", async (options, topic, nodeid, payload) => {
    const { proxy } = await following(options);
    expect(proxy.received).toEqual([{ type: "request", id: 1, topic, nodeid, streaming: true, payload }]);
  });

  it("refuses at once a service that is no subprocess server", async () => {
    const { flux, proxy } = await openFlux();
    expect(() => attach(flux, { pid: 7, service: "frob" })).toThrow(TypeError);
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("gives the events of the process, to its end, and then nothing more", async () => {
    const { proxy, values, ends } = await following();
    proxy.send(attached(), output(1, "x"), finished(1), end(1));
    await settled();
    expect(values.map(({ type }) => type)).toEqual(["attached", "output", "finished"]);
    expect(values[0]).toEqual({ type: "attached", rank: 0, pid: 7, cmd: { cmdline: ["a"] } });
    expect(ends).toEqual(["completed"]);
    // No detach: it is over.
    expect(proxy.received).toHaveLength(1);
  });

  it("detaches when it is unsubscribed from, once, and hears no more", async () => {
    const { proxy, values, ends, subscription } = await following();
    proxy.send(attached());
    await settled();
    subscription.unsubscribe();
    proxy.send(output(1, "late"), failed(1, 125));
    await settled();
    expect(proxy.received.slice(1)).toEqual([{ type: "detach", id: 1 }]);
    expect([values.length, ends]).toEqual([1, []]);
  });

  it("detaches when an operator has enough", async () => {
    const { flux, proxy } = await openFlux();
    const recorder = new Recorder();
    attach(flux, { label: "l" }).pipe(take(1)).subscribe(recorder);
    await settled();
    proxy.send(attached());
    await settled();
    expect(recorder.ends).toEqual(["completed"]);
    expect(proxy.received.slice(1)).toEqual([{ type: "detach", id: 1 }]);
  });

  it("is not sent when it was unsubscribed from before", async () => {
    const { flux, proxy } = await openFlux();
    attach(flux, { label: "l" }).subscribe().unsubscribe();
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("fails with the broker's error, and sends no detach", async () => {
    const { proxy, ends } = await following();
    proxy.send(failed(1, 16, 0, "busy"));
    await settled();
    expect(ends).toMatchObject([{ code: "EBUSY", reason: "busy", topic: "rexec.attach" }]);
    expect(proxy.received).toHaveLength(1);
  });
});
