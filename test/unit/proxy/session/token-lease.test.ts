import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Identity } from "../../../../proxy/auth/identity.js";
import { TokenLease } from "../../../../proxy/session/token-lease.js";
import { FluxError } from "../../../../src/errors.js";
import { CLOSE } from "../../../../src/protocol/protocol-error.js";
import { IDENTITY } from "../support/memory.js";

const START = 1_000_000;

beforeEach(() => void vi.useFakeTimers({ now: START * 1000 }));
afterEach(() => void vi.useRealTimers());

/** A lease of `seconds`, and all that it said. */
function begin(seconds: number, verify: (token: string) => Promise<Identity> = async () => IDENTITY) {
  const said: unknown[] = [];
  const lease = new TokenLease(
    { ...IDENTITY, expires: START + seconds },
    {
      verify,
      send: (message) => said.push(message),
      renewed: (identity) => said.push(["renewed", identity.expires]),
      close: (code, reason) => said.push([code, reason]),
      fault: (error) => said.push(["fault", error]),
    },
  );
  lease.begin(lease.identity);
  const pass = (time: number) => vi.advanceTimersByTimeAsync(time * 1000);
  return { lease, said, pass };
}

const ended = [CLOSE.expired, "the token has expired"];
const expiring = (seconds: number) => ({ type: "expiring", expires: START + seconds });

describe("the end of a token", () => {
  test.each([
    [3600, 3540],
    [240, 180],
    [100, 75],
    [8, 6],
  ])("of %i s is announced after %i s, once, and closes at its time", async (seconds, notice) => {
    const { said, pass } = begin(seconds);
    await pass(notice - 0.001);
    expect(said).toEqual([]);
    await pass(0.001);
    expect(said).toEqual([expiring(seconds)]);
    await pass(seconds - notice - 0.001);
    expect(said).toHaveLength(1);
    await pass(0.001);
    expect(said).toEqual([expiring(seconds), ended]);
    await pass(3600);
    expect(said).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("may be farther away than a timer can wait", async () => {
    const { said, pass } = begin(40 * 24 * 3600);
    await pass(3600);
    expect(said).toEqual([]);
  });

  test("may have been before the beginning", () => {
    expect(begin(0).said).toEqual([ended]);
  });

  test("is noticed when the clock is set", async () => {
    const { said, pass } = begin(3600);
    vi.setSystemTime((START + 4000) * 1000);
    await pass(10);
    expect(said).toEqual([ended]);
  });

  test("is noticed at the next request, timers or not", () => {
    const { lease, said } = begin(3600);
    expect(lease.check()).toBe(true);
    vi.setSystemTime((START + 3600) * 1000);
    expect(lease.check()).toBe(false);
    expect(said).toEqual([ended]);
  });

  test("of a session that is over leaves no timer", () => {
    const { lease } = begin(3600);
    lease.end();
    expect(vi.getTimerCount()).toBe(0);
    expect(lease.check()).toBe(false);
  });
});

describe("a successor", () => {
  test("takes the place, with a notice of its own", async () => {
    const next = { ...IDENTITY, tokenId: "token-2", expires: START + 7200 };
    const { lease, said, pass } = begin(3600, async () => next);
    await pass(3550);
    lease.renew("t");
    await pass(0);
    expect(lease.identity).toBe(next);
    await pass(3649);
    expect(said).toEqual([
      expiring(3600),
      ["renewed", START + 7200],
      { type: "renewed", expires: START + 7200 },
      expiring(7200),
    ]);
    await pass(1);
    expect(said.at(-1)).toEqual(ended);
  });

  test("may end sooner", async () => {
    const { lease, said, pass } = begin(3600, async () => ({ ...IDENTITY, expires: START + 4 }));
    lease.renew("t");
    await pass(4);
    expect(said.slice(2)).toEqual([expiring(4), ended]);
  });

  test("that is refused closes, and so does one that comes too late", async () => {
    const refused = begin(60, () => Promise.reject(new FluxError("EACCES", "token has expired")));
    refused.lease.renew("t");
    await refused.pass(0);
    expect(refused.said).toEqual([[CLOSE.unauthorized, "token has expired"]]);
    let accept = (_: Identity) => {};
    const late = begin(60, () => new Promise((resolve) => (accept = resolve)));
    late.lease.renew("t");
    await late.pass(60);
    accept({ ...IDENTITY, expires: START + 600 });
    await late.pass(1);
    expect(late.said.at(-1)).toEqual(ended);
    expect(late.said.filter((message) => Array.isArray(message))).toHaveLength(1);
  });

  test("several are checked in their order, and the last counts", async () => {
    const { lease, pass } = begin(60, async (token) => ({
      ...IDENTITY,
      tokenId: token,
      expires: START + 600,
    }));
    for (const token of ["a", "b", "c"]) lease.renew(token);
    await pass(0);
    expect(lease.identity.tokenId).toBe("c");
  });

  describe("whose connection is lost while it is checked", () => {
    const later = () => {
      let settle!: (next: Promise<Identity>) => void;
      const begun = begin(60, () => new Promise((resolve) => (settle = resolve)));
      begun.lease.renew("t");
      return { ...begun, settle: (next: Promise<Identity>) => settle(next) };
    };
    const next = { ...IDENTITY, tokenId: "late", expires: START + 5 };

    test("is lost with it: the session is there for its grace, whenever a token ends", async () => {
      const { lease, said, pass, settle } = later();
      await pass(0);
      lease.pause();
      settle(Promise.resolve(next));
      await pass(600);
      expect(said).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    });

    test("does not replace the token that the session was resumed with", async () => {
      const { lease, said, pass, settle } = later();
      await pass(0);
      const resumed = { ...IDENTITY, tokenId: "resumed", expires: START + 3600 };
      lease.begin(resumed);
      settle(Promise.resolve(next));
      await pass(0);
      expect([lease.identity, said]).toEqual([resumed, []]);
    });

    test("and is refused does not end running processes", async () => {
      const { lease, said, pass, settle } = later();
      await pass(0);
      lease.begin({ ...IDENTITY, expires: START + 3600 });
      settle(Promise.reject(new FluxError("EACCES", "token has expired")));
      await pass(0);
      expect(said).toEqual([]);
    });
  });

  test("a fault of the verifier is one of the proxy", async () => {
    const bug = new Error("bug");
    const { lease, said, pass } = begin(60, () => Promise.reject(bug));
    lease.renew("t");
    await pass(0);
    expect(said).toEqual([["fault", bug]]);
  });
});
