import type { Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import {
  attach,
  type Flux,
  type KillOptions,
  kill,
  type ProcessRef,
  rexecBg,
  Subprocess,
  wait,
} from "../../../../src/index.js";
import { openFlux, Recorder, settled } from "../../../support/peer.js";

const verbs: Record<string, (flux: Flux, options: KillOptions) => Observable<unknown>> = {
  kill,
  wait,
  attach,
};

describe("ProcessRef", () => {
  it.each(Object.entries(verbs))("%s goes to the service and the rank of a reference", async (name, verb) => {
    const { flux, proxy } = await openFlux();
    const refs: ProcessRef[] = [
      { service: "x.rexec", rank: 3, pid: 7 },
      { service: "sdexec", rank: 0, label: "l" },
    ];
    for (const ref of refs) verb(flux, ref).subscribe(new Recorder());
    await settled();
    expect(proxy.requests).toMatchObject([
      { topic: `x.rexec.${name}`, nodeid: "3", payload: { pid: 7 } },
      { topic: `sdexec.${name}`, nodeid: "0", payload: { pid: -1, label: "l" } },
    ]);
    for (const { payload } of proxy.requests) {
      expect(payload).not.toHaveProperty("rank");
      expect(payload).not.toHaveProperty("service");
    }
  });

  it("comes from rexecBg, from a list, and survives JSON", async () => {
    const { flux, proxy } = await openFlux();
    const rpc = rexecBg(flux, ["a"], { nodeid: 2, service: "sdexec", label: "l" });
    const started = rpc.get();
    await settled();
    proxy.send({ type: "response", id: 1, rank: 2, payload: { type: "started", pid: 7 } });
    const ref = await started;
    expect(ref).toEqual({ service: "sdexec", rank: 2, pid: 7 });
    const process = new Subprocess({ pid: 7, rank: 2, state: "R", label: "l", cmd: "a", service: "sdexec" });
    expect(process.ref).toEqual(ref);
    kill(flux, JSON.parse(JSON.stringify(ref)) as ProcessRef).subscribe(new Recorder());
    await settled();
    expect(proxy.requests[1]).toMatchObject({ topic: "sdexec.kill", nodeid: "2", payload: { pid: 7 } });
  });

  it.each([
    [{ pid: 7, rank: 1, nodeid: 2 }, "rank is 1, and nodeid is 2"],
    [{ pid: 7, rank: 1, nodeid: "any" }, 'rank is 1, and nodeid is "any"'],
    [{ label: "l", rank: 1, nodeid: "0-3" }, 'rank is 1, and nodeid is "0-3"'],
    [{ pid: 7, rank: -1 }, "nodeid is not an integer of 0 to 4294967294"],
    [{ pid: 7, nodeid: "all" }, 'a pid names a process of one rank, and nodeid is "all": use a label'],
    [{ pid: 7, nodeid: "0-1" }, 'a pid names a process of one rank, and nodeid is "0-1": use a label'],
    [{ pid: 7, nodeid: [0, 1] }, "a pid names a process of one rank, and nodeid is [0,1]: use a label"],
  ])("%j is refused at once by all verbs", async (options, message) => {
    const { flux } = await openFlux();
    for (const verb of Object.values(verbs)) {
      expect(() => verb(flux, options as KillOptions)).toThrow(new TypeError(message));
    }
  });

  it.each([
    { pid: 7, rank: 1, nodeid: 1 },
    { pid: 7, rank: 1, nodeid: "1" },
    { pid: 7, nodeid: [1, 1] },
  ])("%j names one process", async (options) => {
    const { flux, proxy } = await openFlux();
    for (const verb of Object.values(verbs)) {
      verb(flux, options as KillOptions).subscribe(new Recorder());
    }
    await settled();
    expect(proxy.requests.map(({ nodeid }) => nodeid)).toEqual(["1", "1", "1"]);
  });
});
