/** The places and kinds of cuts, for a number of cuts over a number of bytes each way, all from one seed. */
import type { Cut, Fault, Faults } from "./faults.js";
import type { Random } from "./random.js";

/** Cuts that the client hears of. If the proxy does not, the next connection finds a half-open predecessor. */
export const HEARD: readonly [Cut, ...Cut[]] = [
  { kind: "cut" },
  { kind: "reset" },
  { kind: "cut", end: "client" },
  { kind: "reset", end: "client" },
];

/** Cuts that the client does not hear of, unless it learns by other means that the network has changed. */
export const UNHEARD: readonly [Cut, ...Cut[]] = [
  { kind: "cut", end: "target" },
  { kind: "reset", end: "target" },
  { kind: "half-open" },
];

/** The bytes of the handshake, the opening and the first messages that are sent again. */
export const OPENING = 1800;

/** More than the answer to a WebSocket handshake, less than the answer to a hello, in bytes. */
export const HANDSHAKE = 200;

export interface Plan {
  /** The faults of the next connection. @param left bytes that are still to come back */
  schedule(connection: number, random: Random, left: number): Faults;
  /** Records a fault. @returns whether it is a cut that the client does not hear of */
  happened(fault: Fault): boolean;
  /** The number of cuts so far. */
  readonly cuts: number;
}

/**
 * Cuts each connection by `schedule`, until the number of cuts is reached.
 * @param schedule also takes the number of cuts that remain
 */
export function plan(
  cuts: number,
  schedule: (connection: number, random: Random, left: number, toCome: number) => Faults,
): Plan {
  let done = 0;
  return {
    schedule: (connection, random, left) =>
      done < cuts ? schedule(connection, random, left, cuts - done) : {},
    happened(fault) {
      if (fault.kind === "stall") return false;
      done++;
      return fault.kind === "half-open" || fault.end === "target";
    },
    get cuts() {
      return done;
    },
  };
}

/** Cuts of all kinds, spread over the transfer. */
export function spread(cuts: number): Plan {
  return plan(cuts, (connection, random, left, toCome) =>
    faults(random, Math.min((1.8 * left) / toCome, 0.9 * left), connection === 1),
  );
}

/**
 * A cut has a byte in each direction and happens at whichever is reached first, so that at most `stretch` bytes pass before it.
 * @param first bytes without a cut: before its first message has arrived, a session cannot resume
 */
function faults(random: Random, stretch: number, first: boolean): Faults {
  const one = (of: number) => random.integer(1, of) === 1;
  const opening = one(6) && !first;
  // In the opening, an unheard cut would only make the test wait.
  const cut = random.pick(opening || one(2) ? HEARD : UNHEARD);
  const from = first ? 4 * OPENING : opening ? 0 : OPENING;
  const to = opening ? OPENING : Math.max(from, Math.floor(stretch));
  const at: Fault[] = [
    { ...cut, direction: "up", after: random.integer(from, to) },
    { ...cut, direction: "down", after: random.integer(from, to) },
  ];
  if (one(8)) {
    const after = random.integer(from, to);
    at.push({ kind: "stall", direction: random.pick(["up", "down"]), after, ms: random.integer(1, 60) });
  }
  return {
    at,
    ...(one(10) ? { latency: { ms: random.integer(0, 4), jitter: 4 } } : {}),
    ...(one(10) ? { segment: opening ? 9 : 1400 } : {}),
    ...(one(8) && !first ? { twice: HANDSHAKE } : {}),
  };
}
