/** Symbol.observable: this package's Observable in a stream library that is not RxJS, and the other way round. wonka is a small one. */
import { from, lastValueFrom } from "rxjs";
import { describe, expect, it } from "vitest";
import { fromArray, fromObservable, pipe, scan, subscribe, take, toObservable, toPromise } from "wonka";
import { exec, kill, type ProcessEvent } from "../../../src/index.js";
import { end, finished, inputOf, openFlux, output, settled, started } from "../../support/peer.js";

describe("wonka", () => {
  it("takes the events of a process, and its end", async () => {
    const { flux, proxy } = await openFlux();
    const types = pipe(
      fromObservable<ProcessEvent>(exec(flux, ["a"])),
      scan((seen, { type }) => [...seen, type], [] as string[]),
      toPromise,
    );
    await settled();
    proxy.send(started(1), output(1, "x"), finished(1), end(1));
    expect(await types).toEqual(["started", "output", "finished"]);
  });

  it("ends the process when it has enough", async () => {
    const { flux, proxy } = await openFlux();
    pipe(
      fromObservable(exec(flux, ["a"])),
      take(1),
      subscribe(() => {}),
    );
    await settled();
    proxy.send(started(1, 0, 42));
    await settled();
    await settled();
    expect(proxy.requests.at(-1)).toMatchObject({ topic: "rexec.kill", payload: { pid: 42, signum: 15 } });
  });

  it("takes an Rpc, which is sent once all the same", async () => {
    const { flux, proxy } = await openFlux();
    const killed = kill(flux, { pid: 7 });
    const done = Promise.all([pipe(fromObservable(killed), toPromise), killed.get()]);
    await settled();
    proxy.send({ type: "response", id: 1, rank: 0, payload: {} });
    expect(await done).toEqual([undefined, undefined]);
    expect(proxy.requests).toHaveLength(1);
  });

  it("gives input, through from", async () => {
    const { flux, proxy } = await openFlux();
    const stdin = from(toObservable(fromArray(["a", "b"])));
    lastValueFrom(exec(flux, ["cat"], { stdin })).catch(() => {});
    await settled();
    proxy.send(started(1), { type: "credit", id: 1, stream: "stdin", bytes: 100 });
    await settled();
    expect(inputOf(proxy)).toBe("ab");
    expect(proxy.received.at(-1)).toEqual({ type: "eof", id: 1, stream: "stdin" });
  });
});
