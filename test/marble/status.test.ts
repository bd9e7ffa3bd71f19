import { map } from "rxjs";
import { describe, it } from "vitest";
import { Flux } from "../../src/index.js";
import { SessionToken } from "../../src/session/session-token.js";
import { Sessions } from "../../src/session/sessions.js";
import type { Transport, TransportEvents } from "../../src/transport/transport.js";
import { WELCOME } from "../support/peer.js";
import { marbles } from "./support.js";

const NO_TRANSPORT: Transport = { send() {}, close() {}, bufferedAmount: 0 };
const welcome = JSON.stringify({ type: "welcome", ...WELCOME });

/** A handle whose transport a diagram drives: w is the proxy's welcome, x its close, c the client's close. */
function driven(diagram: string, cold: Parameters<Parameters<typeof marbles>[0]>[0]["cold"]): Flux {
  let transport!: TransportEvents;
  const session = new Sessions(
    (events) => {
      transport = events;
      return NO_TRANSPORT;
    },
    new SessionToken(async () => "token", undefined, true),
  );
  cold(diagram).subscribe((what) => {
    if (what === "w") transport.message(welcome);
    else if (what === "x") transport.closed({ code: 4401, reason: "expired", opened: true });
    else session.close();
  });
  return new Flux(session);
}

const states = (flux: Flux) =>
  flux.status$.pipe(
    map((status) => (status.state === "closed" ? (status.error?.code ?? "closed") : status.state)),
  );

const values = { c: "connecting", o: "open", e: "EACCES", x: "closed" };

describe("status$", () => {
  it("emits the latest state and each change, and completes after closed", () => {
    marbles(({ cold, expectObservable }) => {
      const status = states(driven("--w--x", cold));
      expectObservable(status).toBe("c-o--(e|)", values);
      expectObservable(status, "---^").toBe("---o-(e|)", values);
      expectObservable(status, "-------^").toBe("-------(e|)", values);
    });
  });

  it("has no error if the caller closed", () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(states(driven("--w--c-x", cold))).toBe("c-o--(x|)", values);
    });
    marbles(({ cold, expectObservable }) => {
      expectObservable(states(driven("--c--w", cold))).toBe("c-(x|)", values);
    });
  });

  it("never opens when the proxy refuses", () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(states(driven("--x", cold))).toBe("c-(e|)", values);
    });
  });

  it("supports any number of subscribers, each for any time", () => {
    marbles(({ cold, expectObservable }) => {
      const status = states(driven("--w--x", cold));
      expectObservable(status, "^--!").toBe("c-o", values);
      expectObservable(status, "-^").toBe("-co--(e|)", values);
    });
  });
});
