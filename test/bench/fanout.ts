/** The proxy's cost of attacks by fan-out, and the delay of another client during them. */
import { ATTACKS } from "../support/attack.js";
import { underAttack } from "../support/under-attack.js";
import { mib, printTable, printTarget } from "./table.js";

/** The most that the proxy may grow, in bytes, and that another client's `true` may be late, in milliseconds. */
const GROWTH = 64 * 2 ** 20;
const LATE_MS = 250;

export interface FanoutOptions {
  /** The ranks that the broker claims to have; absent: a real one of one rank. */
  claimed: number | undefined;
  /** A broker that runs; absent: the embedded one. */
  uri: string | undefined;
  seconds: number;
  /** The attack; absent: each. */
  only: string | undefined;
}

export async function fanout({ claimed, uri, seconds, only }: FanoutOptions): Promise<void> {
  const rows: Record<string, string | number>[] = [];
  let met = true;
  for (const attack of ATTACKS.filter((name) => only === undefined || name === only)) {
    const result = await underAttack({ attack, claimed, uri, ms: seconds * 1000 });
    const { damage, growth, usual, longest, served, dead } = result;
    const late = longest - usual;
    met &&= !dead && growth <= GROWTH && late <= LATE_MS;
    rows.push({
      attack,
      "RSS grew by": mib(growth),
      "usual true": `${usual.toFixed(0)} ms`,
      "longest late by": `${late.toFixed(0)} ms`,
      served,
      proxy: dead ? "ended" : "serves",
      "attacker got": `${damage.messages} messages, ${JSON.stringify(damage.errors)}, closed: ${damage.closed}`,
    });
  }
  console.log(
    `attacks on ${claimed === undefined ? (uri ?? "one rank") : `a broker that claims ${claimed} ranks`}`,
  );
  printTable(rows);
  printTarget("every attack", "", `at most ${mib(GROWTH)} and ${LATE_MS} ms late`, met);
}
