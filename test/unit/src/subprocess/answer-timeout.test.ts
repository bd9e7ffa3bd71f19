/** The deadline that each verb asks the proxy for. */
import { describe, expect, test } from "vitest";
import { attach, exec, type Flux, kill, list, rexecBg, spawn, wait, watch } from "../../../../src/index.js";
import { openFlux, settled } from "../../../support/peer.js";

type Use = (flux: Flux, answerTimeout?: number) => unknown;

const subscribe = (of: { subscribe(observer: object): unknown }) => of.subscribe({ error: () => {} });

const verbs: Record<string, { use: Use; byDefault: number | undefined }> = {
  rpc: { use: (flux, answerTimeout) => subscribe(flux.rpc("a.b", {}, { answerTimeout })), byDefault: 30_000 },
  list: { use: (flux, answerTimeout) => subscribe(list(flux, { answerTimeout })), byDefault: 30_000 },
  kill: { use: (flux, answerTimeout) => subscribe(kill(flux, { pid: 1, answerTimeout })), byDefault: 30_000 },
  rexecBg: {
    use: (flux, answerTimeout) => subscribe(rexecBg(flux, ["a"], { answerTimeout })),
    byDefault: 30_000,
  },
  // A process may run for days.
  wait: {
    use: (flux, answerTimeout) => subscribe(wait(flux, { pid: 1, answerTimeout })),
    byDefault: undefined,
  },
  exec: {
    use: (flux, answerTimeout) => subscribe(exec(flux, ["a"], { answerTimeout })),
    byDefault: undefined,
  },
  spawn: { use: (flux, answerTimeout) => spawn(flux, ["a"], { answerTimeout }), byDefault: undefined },
  attach: {
    use: (flux, answerTimeout) => subscribe(attach(flux, { pid: 1, answerTimeout })),
    byDefault: undefined,
  },
};

async function sent(use: Use, answerTimeout?: number): Promise<unknown> {
  const { flux, proxy } = await openFlux();
  use(flux, answerTimeout);
  await settled();
  return proxy.requests.map((request) => request.timeout);
}

describe.each(Object.entries(verbs))("answerTimeout of %s", (_, { use, byDefault }) => {
  test("by default, as given, and Infinity for no deadline", async () => {
    expect(await sent(use)).toEqual([byDefault]);
    expect(await sent(use, 1)).toEqual([1]);
    expect(await sent(use, 2 ** 31 - 1)).toEqual([2 ** 31 - 1]);
    expect(await sent(use, Number.POSITIVE_INFINITY)).toEqual([undefined]);
  });

  test.each([0, -1, 0.5, Number.NaN, 2 ** 31, "1000" as never])(
    "%j is a TypeError, and nothing is sent",
    async (answerTimeout) => {
      const { flux, proxy } = await openFlux();
      expect(() => use(flux, answerTimeout)).toThrow(
        new TypeError("answerTimeout is not an integer of 1 to 2147483647"),
      );
      await settled();
      expect(proxy.requests).toEqual([]);
    },
  );
});

test("a watch has no deadline: a rank that does not answer is an error in its table", async () => {
  const { flux, proxy } = await openFlux();
  subscribe(watch(flux));
  await settled();
  expect(proxy.requests[0]).not.toHaveProperty("timeout");
});
