import { generateKeyPair, jwtVerify } from "jose";
import { describe, expect, it, vi } from "vitest";
import { Flux, keyProof } from "../../../../src/index.js";
import { SessionToken } from "../../../../src/session/session-token.js";
import { Sessions } from "../../../../src/session/sessions.js";
import { Recorder, ScriptedProxy, settled } from "../../../support/peer.js";

function session(token: () => Promise<string>, prove?: ConstructorParameters<typeof SessionToken>[1]) {
  const proxy = new ScriptedProxy();
  const flux = new Flux(new Sessions(proxy.connector, new SessionToken(token, prove)));
  return { proxy, flux };
}

describe("a token that is bound to a key", () => {
  it.each(["Ed25519", "ES256"])(
    "is proven with the proxy's nonce, by a %s key that stays where it is",
    async (alg) => {
      const { privateKey, publicKey } = await generateKeyPair(alg === "ES256" ? alg : "EdDSA");
      expect(privateKey.extractable).toBe(false);
      const { proxy, flux } = session(async () => "the token", keyProof({ privateKey, publicKey }));
      await settled();
      proxy.raw('{"type":"challenge","nonce":"n-1"}');
      await vi.waitFor(() => expect(proxy.proofs).toHaveLength(1));
      const { payload, protectedHeader } = await jwtVerify(proxy.proofs[0] ?? "", publicKey);
      expect(payload).toMatchObject({
        nonce: "n-1",
        // SHA-256 of "the token", base64url, by another implementation.
        ath: (await import("node:crypto")).createHash("sha256").update("the token").digest("base64url"),
      });
      expect(protectedHeader).toMatchObject({
        typ: "flux-subprocess-proof+jwt",
        jwk: { x: expect.any(String) },
      });
      expect(protectedHeader.jwk).not.toHaveProperty("d");
      proxy.welcome();
      await settled();
      expect(flux.session.status.state).toBe("open");
    },
  );

  it("is of no use without its key", async () => {
    const { proxy, flux } = session(async () => "token");
    await settled();
    proxy.raw('{"type":"challenge","nonce":"n"}');
    await settled();
    expect(flux.session.status).toMatchObject({
      state: "closed",
      error: { code: "EACCES", message: "the token is bound to a key that was not given" },
    });
  });
});

describe("renewal", () => {
  const opened = async (token: () => Promise<string>) => {
    const { proxy, flux } = session(token);
    proxy.onHello = () => proxy.welcome({ expires: 100 });
    await settled();
    return { proxy, flux };
  };

  it("asks for a token again, and reports its expiry", async () => {
    let asked = 0;
    const { proxy, flux } = await opened(async () => `token ${++asked}`);
    const recorder = new Recorder();
    flux.status$.subscribe(recorder);
    proxy.raw('{"type":"expiring","expires":100}');
    await settled();
    expect(proxy.tokens).toEqual(["token 2"]);
    proxy.raw('{"type":"renewed","expires":200}');
    await settled();
    expect(recorder.values).toMatchObject([
      { state: "open", expires: 100 },
      { state: "open", expires: 200 },
    ]);
  });

  it("does not send the same token again", async () => {
    const { proxy } = await opened(async () => "the only one");
    proxy.raw('{"type":"expiring","expires":100}');
    await settled();
    expect(proxy.tokens).toEqual([]);
  });

  it("that fails is the cause of the end, when that comes", async () => {
    const reason = new Error("logged out");
    let asked = 0;
    const { proxy, flux } = await opened(() => (asked++ ? Promise.reject(reason) : Promise.resolve("token")));
    proxy.raw('{"type":"expiring","expires":100}');
    await settled();
    expect(flux.session.status.state).toBe("open");
    proxy.close(4411, "the token has expired");
    await settled();
    expect(flux.session.status).toMatchObject({
      state: "connecting",
      error: {
        code: "EKEYEXPIRED",
        cause: { message: "the token source failed: logged out", cause: reason },
      },
    });
  });

  it("that failed once is not the cause of errors after a success", async () => {
    let asked = 0;
    const token = async () => {
      if (++asked === 2) throw new Error("logged out");
      return `token ${asked}`;
    };
    const { proxy, flux } = await opened(token);
    for (let n = 0; n < 2; n++) {
      proxy.raw('{"type":"expiring","expires":100}');
      await settled();
    }
    proxy.raw('{"type":"renewed","expires":200}');
    await settled();
    proxy.close(4500, "a fault in the proxy");
    await settled();
    expect(flux.session.status).toMatchObject({ state: "connecting", error: { code: "EREMOTEIO" } });
    expect(flux.session.status).not.toHaveProperty("error.cause");
  });
});
