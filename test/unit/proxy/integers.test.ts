/** Integers of 64 bits, from the client to the broker's socket and back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateKeys, signToken } from "../../../proxy/auth/keys.js";
import { createProxy, type RunningProxy } from "../../../proxy/index.js";
import { connect, type Flux } from "../../../src/index.js";
import { FakeBroker, withAttributes } from "./support/fake-broker.js";

const claims = { issuer: "https://issuer.test", audience: "flux", subject: "alice", ttlSeconds: 600 };
const detail = { type: "flux_subprocess", actions: ["rpc"], topics: ["job-list.*"] };

let broker: FakeBroker;
let proxy: RunningProxy;
let flux: Flux;
const texts: string[] = [];

beforeAll(async () => {
  broker = await FakeBroker.start({
    respond: withAttributes((request, peer) => {
      const text = Buffer.from(request.payload ?? [])
        .toString()
        .slice(0, -1);
      texts.push(text);
      peer.respond(request.matchtag, { payload: text });
    }),
  });
  const { privateJwk, jwks } = await generateKeys();
  proxy = await createProxy({ uri: broker.uri, jwks, ...claims });
  const token = await signToken(privateJwk, { ...claims, details: [detail] });
  flux = connect(proxy.url, { token });
});
afterAll(async () => {
  flux?.close();
  await proxy?.close();
  await broker?.close();
});

test("an id keeps its digits in both directions, and strings stay strings", async () => {
  const job = {
    id: 2n ** 63n - 1n,
    attrs: ["#1"],
    text: "9223372036854775807",
    small: 7,
    negative: -(2n ** 60n),
  };
  expect(await flux.rpc("job-list.list-id", job)).toEqual(job);
  expect(texts.at(-1)).toBe(
    '{"id":9223372036854775807,"attrs":["#1"],"text":"9223372036854775807","small":7,"negative":-1152921504606846976}',
  );
});
