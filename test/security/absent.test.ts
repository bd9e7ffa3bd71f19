/** The limit on sessions that outlive a lost connection for longer than the default. docs/security.md, "Identity". */
import { filter, firstValueFrom, map } from "rxjs";
import { expect, test } from "vitest";
import { connect } from "../../src/index.js";
import { startStack } from "../support/stack.js";

test("a subject gets a long grace for a number of sessions, and the default for any other", async () => {
  const stack = await startStack({ size: 1 });
  const limits = { graceMs: 1000, maxGraceMs: 60_000, longSessionsPerSubject: 2 };
  const { proxy, token } = await stack.proxyWith(limits);
  const open = async (grace: number) => {
    const flux = connect(proxy.url, { token, grace });
    const granted = flux.status$.pipe(
      filter((status) => status.state === "open"),
      map((status) => status.grace),
    );
    return { flux, grace: await firstValueFrom(granted) };
  };
  const first = await open(Number.MAX_SAFE_INTEGER);
  const others = [await open(60_000), await open(60_000), await open(500)];
  expect([first, ...others].map(({ grace }) => grace)).toEqual([60_000, 60_000, 1000, 500]);
  // A session that is over makes room.
  first.flux.close();
  await expect
    .poll(async () => {
      const again = await open(60_000);
      again.flux.close();
      return again.grace;
    })
    .toBe(60_000);
  for (const { flux } of others) flux.close();
  await proxy.close();
  await stack.close();
});
