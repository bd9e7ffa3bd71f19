/**
 * Everything that a proxy refuses, each beside a control that differs in one thing. The broker is real, and so is the
 * UNIX socket in front of it that tells what it was sent: of what is refused, nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BACKGROUND } from "./tables/background.js";
import { FIELDS } from "./tables/fields.js";
import { GATEWAY } from "./tables/gateway.js";
import { LABELS } from "./tables/labels.js";
import { LAUNCHER } from "./tables/launcher.js";
import { PERMISSIONS } from "./tables/permissions.js";
import { PROOFS } from "./tables/proofs.js";
import { RENEWALS } from "./tables/renewals.js";
import { RPC } from "./tables/rpc.js";
import { SIGNED } from "./tables/signed.js";
import { STREAM } from "./tables/stream.js";
import { TOKENS } from "./tables/tokens.js";
import { World } from "./world.js";

/** Refused before the session is open: not even a connection to the broker. */
const OPENINGS = [...TOKENS, ...PROOFS];
/** Refused in an open session. */
const REQUESTS = [
  ...PERMISSIONS,
  ...LABELS,
  ...LAUNCHER,
  ...SIGNED,
  ...RENEWALS,
  ...GATEWAY,
  ...BACKGROUND,
  ...FIELDS,
  ...RPC,
  ...STREAM,
];

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

describe.each([
  ["at the opening", OPENINGS],
  ["in a session", REQUESTS],
])("refused %s", (_, refusals) => {
  test.each(refusals)("$name", async ({ bad, good, reason }) => {
    const refused = await bad(world);
    expect(refused.refused).toMatch(reason);
    expect(refused).toMatchObject({ sent: [], connections: 0, bytes: 0 });
    const control = await good(world);
    expect(control.refused).toBeUndefined();
    expect(control.sent.length).toBeGreaterThan(0);
  });
});

test("there are many of them, no two alike", () => {
  const names = [...OPENINGS, ...REQUESTS].map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  expect(names.length).toBeGreaterThanOrEqual(80);
});
