/** Tokens end; a session whose client has another goes on, and one whose client has none says why it is over. */
import { firstValueFrom, lastValueFrom } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type RunningProxy } from "../../proxy/index.js";
import { collect, connect, exec, list } from "../../src/index.js";
import { failure, sh, utf8 } from "../support/process.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";
const TTL = 2;

describe("a token that ends", () => {
  let broker: EmbeddedBroker;
  let proxy: RunningProxy;
  let newToken: () => Promise<string>;

  beforeAll(async () => {
    broker = await startEmbeddedBroker({ size: 1 });
    const { privateJwk, jwks } = await generateKeys();
    proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience });
    const claims = { issuer, audience, subject: "tester", ttlSeconds: TTL };
    newToken = () => signToken(privateJwk, claims);
  });
  afterAll(async () => {
    await proxy?.close();
    await broker?.close();
  });

  it("is followed by another on the open socket, without an interruption", async () => {
    let asked = 0;
    const flux = connect(proxy.url, {
      token: () => {
        asked++;
        return newToken();
      },
    });
    const states: string[] = [];
    flux.status$.subscribe(({ state }) => states.push(state));
    // Longer than two lives of a token.
    const running = exec(flux, sh(`sleep ${2 * TTL + 1}; echo still here`));
    const { stdout, outcome } = await firstValueFrom(running.pipe(collect()));
    expect([utf8(stdout), outcome]).toEqual(["still here\n", { kind: "exited", code: 0 }]);
    expect(asked).toBeGreaterThan(2);
    expect(new Set(states)).toEqual(new Set(["connecting", "open"]));
    flux.close();
  });

  it("without a successor ends the session with EKEYEXPIRED", async () => {
    const flux = connect(proxy.url, { token: newToken() });
    const running = failure(lastValueFrom(exec(flux, ["sleep", "60"])));
    const status = await lastValueFrom(flux.status$);
    expect(status).toMatchObject({ state: "closed", error: { code: "EKEYEXPIRED" } });
    expect(await running).toMatchObject({ code: "EKEYEXPIRED", topic: "rexec.exec" });
    expect(await failure(list(flux).get())).toMatchObject({ code: "EKEYEXPIRED" });
  });
});
