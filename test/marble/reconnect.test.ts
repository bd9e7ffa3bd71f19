import { asyncScheduler, map, type Observable, Subscription } from "rxjs";
import type { ColdObservable } from "rxjs/internal/testing/ColdObservable";
import type { RunHelpers } from "rxjs/internal/testing/TestScheduler";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Flux } from "../../src/index.js";
import type { LinkOptions } from "../../src/session/link.js";
import { fullJitter } from "../../src/session/retry.js";
import { SessionToken } from "../../src/session/session-token.js";
import { Sessions } from "../../src/session/sessions.js";
import { WELCOME } from "../support/peer.js";
import { marbles } from "./support.js";

const WELCOME_TEXT = JSON.stringify({ type: "welcome", ...WELCOME, grace: 1000 });
const NO_RESUME_TEXT = JSON.stringify({ type: "welcome", ...WELCOME, grace: 0, resume: undefined });

interface Driven {
  flux: Flux;
  /** A diagram for each connection, from its start to its close. */
  connections: ColdObservable<string>[];
  /** The messages sent, each with its time. */
  sent: [frame: number, type: string][];
}

/**
 * A handle whose connections follow diagrams, one after the other: w is a welcome, v one to a session that cannot be resumed, x a loss, r
 * a refusal by the network, s a stop of the proxy, u an unknown session, d a denied token, p a pong.
 */
function driven(
  { cold }: RunHelpers,
  diagrams: string[],
  options: LinkOptions,
  now: () => number,
  end = 100_000,
  token = new SessionToken(async () => "token", undefined),
): Driven {
  const connections = diagrams.map((diagram) => cold<string>(diagram));
  const sent: Driven["sent"] = [];
  let made = 0;
  const session = new Sessions(
    (events) => {
      const subscription = new Subscription();
      const close = (code: number, opened = true) => {
        subscription.unsubscribe();
        events.closed({ code, reason: "", opened });
      };
      subscription.add(
        connections[made++]?.subscribe((what) => {
          if (what === "w") events.message(WELCOME_TEXT);
          else if (what === "v") events.message(NO_RESUME_TEXT);
          else if (what === "p") events.message('{"type":"pong"}');
          else if (what === "r") close(1006, false);
          else if (what === "s") close(1001);
          else if (what === "u") close(4404);
          else if (what === "d") close(4401);
          else close(1006);
        }),
      );
      return {
        send: (text) => sent.push([now(), JSON.parse(text as string).type]),
        close: () => subscription.unsubscribe(),
        bufferedAmount: 0,
      };
    },
    token,
    undefined,
    options,
  );
  // At the end of the test's time, the handle has left nothing behind.
  cold(`${end}ms x`).subscribe(() => session.close());
  return { flux: new Flux(session), connections, sent };
}

/**
 * The states, "resuming" with the number of the attempt and the milliseconds until it begins; "connecting" so, too, with a "c" before the
 * number, unless it is the first attempt of all.
 */
const states = (flux: Flux, now: () => number): Observable<string> =>
  flux.status$.pipe(
    map((status) => {
      if (status.state === "closed") return status.error?.code ?? "closed";
      if (status.state === "open" || !status.error) return status.state;
      const wait = status.next === undefined ? "now" : `in ${status.next - now()}`;
      return `${status.state === "connecting" ? "c" : ""}${status.attempt} ${wait}`;
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

  it("makes room for a new session when the proxy cannot have the old one any more", () => {
    run((helpers, now) => {
      // The grace is 1 s, and the proxy may be a minute late.
      const options = { retry: { delay: () => 40_000 } };
      const { flux } = driven(helpers, ["-(wx)", "r", "r", "-w"], options, now, 200_000);
      const times = "c(oa) 39996ms (bd) 39996ms (ef) 39996ms gp";
      helpers.expectObservable(states(flux, now), "130s !").toBe(times, {
        ...{ c: "connecting", o: "open", a: "1 in 40000", b: "1 now", d: "2 in 40000", e: "2 now" },
        ...{ f: "c1 in 40000", g: "c1 now", p: "open" },
      });
    });
  });

  it("is not given up because the clock of the machine was set", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["-(wx)", "r", "-w"], { retry: { delay } }, now);
      const year = 365 * 24 * 3_600_000;
      helpers.cold("5ms x").subscribe(() => vi.mocked(Date.now).mockImplementation(() => year + now()));
      // The state "connecting" after "resuming" would be a loss of the session.
      const letters = flux.status$.pipe(map(({ state }) => state.charAt(0)));
      helpers.expectObservable(letters, "60ms !").toBe("c(or) 6ms (rr) 16ms ro");
    });
  });

  it("waits for the longest timer if its delay is longer, since a longer timer fires at once", () => {
    run((helpers, now) => {
      const options = { retry: { delay: () => Number.POSITIVE_INFINITY } };
      const { flux } = driven(helpers, ["-(wx)", "-w"], options, now);
      helpers.expectObservable(states(flux, now), "60ms !").toBe("c(oa)", {
        ...{ c: "connecting", o: "open", a: "1 in 2147483647" },
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

describe("a first connection that fails", () => {
  it("is tried again, by the rule of the later ones", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--r", "r", "-w"], { retry: { delay } }, now);
      helpers.expectObservable(states(flux, now), "60ms !").toBe("c-a 19ms (bd) 26ms eo", {
        ...{ c: "connecting", a: "c2 in 20", b: "c2 now", d: "c3 in 30", e: "c3 now", o: "open" },
      });
    });
  });

  it("closes the handle after a number of attempts in a row, with the last one's error", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["-r", "r"], { retry: { delay, count: 2 } }, now);
      helpers.expectObservable(states(flux, now)).toBe("ca 19ms (br|)", {
        ...{ c: "connecting", a: "c2 in 20", b: "c2 now", r: "ECONNREFUSED" },
      });
    });
  });

  it.each([false as const, { first: false }])("closes the handle with retry %j", (retry) => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--r"], { retry }, now);
      helpers.expectObservable(states(flux, now)).toBe("c-(r|)", { c: "connecting", r: "ECONNREFUSED" });
    });
  });

  it("is not like a later one, which is tried again with { first: false }", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--w--s", "-w"], { retry: { delay, first: false } }, now);
      helpers.expectObservable(states(flux, now), "60ms !").toBe("c-o--a 9ms bo", {
        ...{ c: "connecting", o: "open", a: "c1 in 10", b: "c1 now" },
      });
    });
  });
});

describe("a lost session", () => {
  it.each([
    ["if the proxy stops", "--w--s"],
    ["if the proxy has no sessions to resume", "--v--x"],
  ])("makes room for a new one, %s", (_, diagram) => {
    run((helpers, now) => {
      const { flux } = driven(helpers, [diagram, "-w"], { retry: { delay } }, now);
      helpers.expectObservable(states(flux, now), "60ms !").toBe("c-o--a 9ms bo", {
        ...{ c: "connecting", o: "open", a: "c1 in 10", b: "c1 now" },
      });
    });
  });

  it("makes room for a new one if the proxy has started again", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--w--x", "-u", "-w"], { retry: { delay } }, now);
      helpers.expectObservable(states(flux, now), "60ms !").toBe("c-o--a 9ms bd 9ms eo", {
        ...{ c: "connecting", o: "open", a: "1 in 10", b: "1 now", d: "c1 in 10", e: "c1 now" },
      });
    });
  });

  it("is replaced later and later if each is lost soon, and at once after one that has lasted", () => {
    run((helpers, now) => {
      const diagrams = ["-(ws)", "-(ws)", "-(ws)", "-w 10s s", "-w"];
      const { flux } = driven(helpers, diagrams, { retry: { delay } }, now);
      const times = "c(oa) 6ms b(od) 16ms e(of) 26ms go 10s a 9ms bo";
      helpers.expectObservable(states(flux, now), "20s !").toBe(times, {
        ...{ c: "connecting", o: "open", a: "c1 in 10", b: "c1 now", d: "c2 in 20", e: "c2 now" },
        ...{ f: "c3 in 30", g: "c3 now" },
      });
    });
  });

  it("leaves the handle closed without retries", () => {
    run((helpers, now) => {
      const { flux } = driven(helpers, ["--w--s"], { retry: false }, now);
      helpers.expectObservable(states(flux, now)).toBe("c-o--(r|)", {
        ...{ c: "connecting", o: "open", r: "ECONNRESET" },
      });
    });
  });
});

describe("a refused token", () => {
  it.each([
    ["at first", ["-d", "-w"], "ca 19ms bo", { a: "c2 in 20", b: "c2 now" }],
    ["later, with a new session", ["-w--d", "-w"], "co--a 9ms bo", { a: "c1 in 10", b: "c1 now" }],
    [
      "while resuming",
      ["-w--x", "-d", "-w"],
      "co--a 9ms bd 19ms eo",
      { a: "1 in 10", b: "1 now", d: "2 in 20", e: "2 now" },
    ],
  ])("asks its function again, %s", (_, diagrams, times, values) => {
    run((helpers, now) => {
      let calls = 0;
      const token = new SessionToken(async () => `token ${++calls}`, undefined);
      const { flux } = driven(helpers, diagrams, { retry: { delay } }, now, 100, token);
      helpers
        .expectObservable(states(flux, now), "60ms !")
        .toBe(times, { c: "connecting", o: "open", ...values });
    });
  });

  it.each([
    ["at first", ["-d"], "c(r|)"],
    ["later", ["-w--d"], "co--(r|)"],
    ["while resuming", ["-w--x", "-d"], "co--a 9ms b(r|)"],
  ])("closes the handle if it is a fixed string, %s", (_, diagrams, times) => {
    run((helpers, now) => {
      const token = new SessionToken(async () => "token", undefined, true);
      const { flux } = driven(helpers, diagrams, { retry: { delay } }, now, 100, token);
      helpers.expectObservable(states(flux, now)).toBe(times, {
        ...{ c: "connecting", o: "open", r: "EACCES", a: "1 in 10", b: "1 now" },
      });
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
      const { flux } = driven(helpers, ["-"], { retry: false }, now);
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
