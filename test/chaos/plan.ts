/** Where connections are cut, and how: so many cuts while so many bytes go each way, all of it from one seed. */
import type { Cut, Fault, Faults } from "./faults.js";
import type { Random } from "./random.js";

/** The client hears of it: both ends do, or it alone, so that its next connection finds a predecessor half-open. */
export const HEARD: readonly [Cut, ...Cut[]] = [
  { kind: "cut" },
  { kind: "reset" },
  { kind: "cut", end: "client" },
  { kind: "reset", end: "client" },
];

/** The client does not hear of it, unless something else tells it that the network has changed. */
export const UNHEARD: readonly [Cut, ...Cut[]] = [
  { kind: "cut", end: "target" },
  { kind: "reset", end: "target" },
  { kind: "half-open" },
];

/** In so many bytes are the handshake, the opening and the first of what is sent again. */
export const OPENING = 1800;

/** A WebSocket handshake is answered in fewer bytes, a hello is not. */
export const HANDSHAKE = 200;

export interface Plan {
  /** The faults of the next connection. @param left so many bytes are still to come back */
  schedule(connection: number, random: Random, left: number): Faults;
  /** Takes note of a fault. @returns whether it is a cut that the client does not hear of */
  happened(fault: Fault): boolean;
  /** How many cuts there have been. */
  readonly cuts: number;
}

/**
 * Cuts each connection as `schedule` says, until there have been so many cuts.
 * @param schedule is told as well how many cuts are to come
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

/** Cuts of all kinds, spread over what goes through. */
export function spread(cuts: number): Plan {
  return plan(cuts, (connection, random, left, toCome) =>
    faults(random, Math.min((1.8 * left) / toCome, 0.9 * left), connection === 1),
  );
}

/**
 * A cut has a byte in each direction and happens at the one that is reached first, so that no more than `stretch` goes by.
 * @param first the session is there once its first message has arrived: before that there is nothing to resume
 */
function faults(random: Random, stretch: number, first: boolean): Faults {
  const one = (of: number) => random.integer(1, of) === 1;
  const opening = one(6) && !first;
  // In the opening, one that nobody hears of would be a test of patience alone.
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
