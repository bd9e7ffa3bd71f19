import { asyncScheduler, map, type Observable, Subscription } from "rxjs";
import type { ColdObservable } from "rxjs/internal/testing/ColdObservable";
import type { RunHelpers } from "rxjs/internal/testing/TestScheduler";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Flux } from "../../src/index.js";
import type { LinkOptions } from "../../src/session/link.js";
import { fullJitter } from "../../src/session/retry.js";
import { Session } from "../../src/session/session.js";
import { SessionToken } from "../../src/session/session-token.js";
import { WELCOME } from "../support/peer.js";
import { marbles } from "./support.js";

const WELCOME_TEXT = JSON.stringify({ type: "welcome", ...WELCOME, grace: 1000 });

interface Driven {
  flux: Flux;
  /** A diagram for each connection, from its start to its close. */
  connections: ColdObservable<string>[];
  /** The messages sent, each with its time. */
  sent: [frame: number, type: string][];
}

/**
 * A handle whose connections follow diagrams, one after the other: w is a welcome, x a loss, r a refusal, s a stop of the
 * proxy, p a pong.
 */
function driven(
  { cold }: RunHelpers,
  diagrams: string[],
  options: LinkOptions,
  now: () => number,
  end = 100_000,
): Driven {
  const connections = diagrams.map((diagram) => cold<string>(diagram));
  const sent: Driven["sent"] = [];
  let made = 0;
  const session = new Session(
    (events) => {
      const subscription = new Subscription();
      const close = (code: number, opened = true) => {
        subscription.unsubscribe();
        events.closed({ code, reason: "", opened });
      };
      subscription.add(
        connections[made++]?.subscribe((what) => {
          if (what === "w") events.message(WELCOME_TEXT);
          else if (what === "p") events.message('{"type":"pong"}');
          else if (what === "r") close(1006, false);
          else if (what === "s") close(1001);
          else close(1006);
        }),
      );
      return {
        send: (text) => sent.push([now(), JSON.parse(text as string).type]),
        close: () => subscription.unsubscribe(),
        bufferedAmount: 0,
      };
    },
    new SessionToken(async () => "token", undefined),
    undefined,
    options,
  );
  // At the end of the test's time, the handle has left nothing behind.
  cold(`${end}ms x`).subscribe(() => session.close());
  return { flux: new Flux(session), connections, sent };
}

/** The states, "resuming" with the number of the attempt and the milliseconds until it begins. */
const states = (flux: Flux, now: () => number): Observable<string> =>
  flux.status$.pipe(
    map((status) => {
      if (status.state === "closed") return status.error?.code ?? "closed";
      if (status.state !== "resuming") return status.state;
      const wait = status.next === undefined ? "now" : `in ${status.next - now()}`;
      return `${status.attempt} ${wait}`;
    }),
  );

function run(test: (helpers: RunHelpers, now: () => number) => void): void {
  marbles((helpers) => {
    test(helpers, () => asyncScheduler.now());
  });
}

const delay = (attempt: number) => attempt * 10;

describe("a lost connection", () => {
  it("is retried after each attempt's delay, until a welcome", () => {
    run((helpers, now) => {
      const { expectObservable, expectSubscriptions } = helpers;
      const { flux, connections } = driven(helpers, ["--w--x", "---r", "-w"], { retry: { delay } }, now);
      expectObservable(states(flux, now), "60ms !").toBe("c-o--a 9ms b--d 19ms eo", {
        ...{ c: "connecting", o: "open", a: "1 in 10", b: "1 now", d: "2 in 20", e: "2 now" },
      });
      for (const [n, lifetime] of ["^----!", "15ms ^--!"].entries()) {
        expectSubscriptions((connections[n] as ColdObservable<string>).subscriptions).toBe(lifetime);
      }
    });
  });

  it("restarts the count of attempts at each welcome", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--w--x", "-w-x", "-w"], { retry: { delay } }, now);
      helpers.expectObservable(states(flux, now), "60ms !").toBe("c-o--a 9ms bo-a 9ms bo", {
        ...{ c: "connecting", o: "open", a: "1 in 10", b: "1 now" },
      });
    });
  });

  it("is given up after a number of attempts in a row, with the last one's error", () => {
    run((helpers, now) => {
      const options = { retry: { delay, count: 2 } };
      const { flux } = driven(helpers, ["-w-x", "r", "r"], options, now);
      helpers.expectObservable(states(flux, now)).toBe("co-a 9ms (bd) 16ms (er|)", {
        ...{
          c: "connecting",
          o: "open",
          a: "1 in 10",
          b: "1 now",
          d: "2 in 20",
          e: "2 now",
          r: "ECONNREFUSED",
        },
      });
    });
  });

  it("ends the session without retries", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--w--x"], { retry: false }, now);
      helpers.expectObservable(states(flux, now)).toBe("c-o--(r|)", {
        ...{ c: "connecting", o: "open", r: "ECONNRESET" },
      });
    });
  });

  it("is not retried if it is the first, nor if the proxy stops", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--r"], {}, now);
      helpers.expectObservable(states(flux, now)).toBe("c-(r|)", { c: "connecting", r: "ECONNREFUSED" });
    });
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--w--s"], {}, now);
      helpers.expectObservable(states(flux, now)).toBe("c-o--(r|)", {
        ...{ c: "connecting", o: "open", r: "ECONNRESET" },
      });
    });
  });

  it("is given up when the proxy cannot have the session any more", () => {
    run((helpers, now) => {
      // The grace is 1 s, and the proxy may be a minute late.
      const options = { retry: { delay: () => 40_000 } };
      const { flux } = driven(helpers, ["-(wx)", "r", "r"], options, now);
      const times = "c(oa) 39996ms (bd) 39996ms (er|)";
      helpers.expectObservable(states(flux, now)).toBe(times, {
        ...{ c: "connecting", o: "open", a: "1 in 40000", b: "1 now", d: "2 in 40000", e: "2 now" },
        r: "ETIMEDOUT",
      });
    });
  });

  it("is abandoned when the handle is closed", () => {
    run((helpers, now) => {
      const { flux, connections } = driven(helpers, ["-w-x", "-"], { retry: { delay } }, now);
      helpers.cold("15ms x").subscribe(() => flux.close());
      helpers.expectObservable(states(flux, now)).toBe("co-a 9ms b-(x|)", {
        ...{ c: "connecting", o: "open", a: "1 in 10", b: "1 now", x: "closed" },
      });
      helpers.expectSubscriptions((connections[1] as ColdObservable<string>).subscriptions).toBe("13ms ^-!");
    });
  });
});

describe("a page that is awake again", () => {
  afterEach(() => void vi.unstubAllGlobals());

  function page() {
    const window = new EventTarget();
    const document = Object.assign(new EventTarget(), { hidden: true });
    vi.stubGlobal("addEventListener", (...listener: Parameters<EventTarget["addEventListener"]>) =>
      window.addEventListener(...listener),
    );
    vi.stubGlobal("document", document);
    return { window, document };
  }

  it.each(["online", "visible"])("(%s) does not wait for the next attempt", (how) => {
    const { window, document } = page();
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--w--x", "r", "-w"], { retry: { delay: () => 9000 } }, now);
      helpers.cold("15ms x").subscribe(() => {
        document.hidden = how !== "visible";
        if (how === "online") window.dispatchEvent(new Event("online"));
        else document.dispatchEvent(new Event("visibilitychange"));
      });
      helpers.expectObservable(states(flux, now), "9100ms !").toBe("c-o--a 9ms (bd) 8996ms eo", {
        ...{ c: "connecting", o: "open", a: "1 in 9000", b: "1 now", d: "2 in 9000", e: "2 now" },
      });
    });
  });

  it("checks whether the proxy is there, within 4 s", () => {
    const { window } = page();
    run((helpers, now) => {
      const { flux, sent } = driven(helpers, ["-w", "-w"], { retry: { delay } }, now, 5200);
      helpers.cold("1s x").subscribe(() => window.dispatchEvent(new Event("online")));
      helpers.expectObservable(states(flux, now), "5100ms !").toBe("co 4998ms a 9ms bo", {
        ...{ c: "connecting", o: "open", a: "1 in 10", b: "1 now" },
      });
      helpers.flush();
      expect(sent.filter(([, type]) => type === "ping")).toEqual([[1000, "ping"]]);
    });
  });

  it("does nothing once the session is over", () => {
    const { window, document } = page();
    const add = [vi.spyOn(window, "addEventListener"), vi.spyOn(document, "addEventListener")];
    run((helpers, now) => {
      const { flux } = driven(helpers, ["-w"], {}, now);
      const signals = add.map(
        ({ mock }) => (mock.calls[0]?.[2] as AddEventListenerOptions | undefined)?.signal,
      );
      expect(signals.map((signal) => signal?.aborted)).toEqual([false, false]);
      flux.close();
      expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
    });
  });

  it("and hidden does nothing", () => {
    const { document } = page();
    run((helpers, now) => {
      const { flux, sent } = driven(helpers, ["-w"], {}, now, 4100);
      helpers.cold("1s x").subscribe(() => document.dispatchEvent(new Event("visibilitychange")));
      helpers.expectObservable(states(flux, now), "4s !").toBe("co", { c: "connecting", o: "open" });
      helpers.flush();
      expect(sent).toEqual([]);
    });
  });
});

describe("a silent proxy", () => {
  it("gets a ping, and is lost without an answer", () => {
    run((helpers, now) => {
      const { flux, connections, sent } = driven(helpers, ["-w", "-w"], { retry: { delay } }, now);
      helpers.expectObservable(states(flux, now), "15020ms !").toBe("co 14999ms a 9ms bo", {
        ...{ c: "connecting", o: "open", a: "1 in 10", b: "1 now" },
      });
      helpers
        .expectSubscriptions((connections[0] as ColdObservable<string>).subscriptions)
        .toBe("^ 15000ms !");
      helpers.flush();
      expect(sent.slice(0, 1)).toEqual([[10_001, "ping"]]);
    });
  });

  it("is kept if it answers in time", () => {
    run((helpers, now) => {
      const { flux, sent } = driven(helpers, ["-w 12s p 10s p"], {}, now, 28_100);
      helpers.expectObservable(states(flux, now), "28s !").toBe("co", { c: "connecting", o: "open" });
      helpers.flush();
      expect(sent).toEqual([
        [10_001, "ping"],
        [20_001, "ping"],
      ]);
    });
  });

  it("has 20 s for the opening", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["-"], {}, now);
      helpers.expectObservable(states(flux, now)).toBe("c 19999ms (r|)", { c: "connecting", r: "ETIMEDOUT" });
    });
  });
});

describe("reconnect", () => {
  it("closes the old connection at the new one's welcome, and stays open throughout", () => {
    run((helpers, now) => {
      const { flux, connections } = driven(helpers, ["-w", "---w"], {}, now);
      helpers.cold("-----x").subscribe(() => void flux.reconnect());
      helpers.expectObservable(states(flux, now), "20ms !").toBe("co------o", { c: "connecting", o: "open" });
      helpers.expectSubscriptions((connections[0] as ColdObservable<string>).subscriptions).toBe("^-------!");
    });
  });

  it("keeps the old connection if the new one fails", () => {
    run((helpers, now) => {
      const { flux, connections } = driven(helpers, ["-w", "---r"], {}, now, 30);
      const failed = vi.fn();
      helpers.cold("-----x").subscribe(() => void flux.reconnect().catch(failed));
      helpers.expectObservable(states(flux, now), "20ms !").toBe("co", { c: "connecting", o: "open" });
      helpers.expectSubscriptions((connections[0] as ColdObservable<string>).subscriptions).toBe("^ 29ms !");
    });
  });
});

describe("fullJitter", () => {
  it("is random up to a bound that doubles, to 10 s", () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    expect([1, 2, 3, 9, 1000].map(fullJitter)).toEqual([200, 400, 800, 5000, 5000]);
    vi.restoreAllMocks();
  });
});
