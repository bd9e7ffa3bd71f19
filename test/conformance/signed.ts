/**
 * RFC 42, "Request Authentication": the six steps of a server, asked on a connection of our own, as the proxy refuses
 * most of these itself. The broker's rexec verifies nothing; the rest needs the rexec of a shell that requires signatures.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrokerConnection } from "../../proxy/broker/connection.js";
import { encodePayload } from "../../proxy/broker/payload.js";
import type { FluxError } from "../../src/errors.js";
import { noneSigner } from "../../src/signing/none.js";
import { signedPayload } from "../../src/signing/signer.js";
import type { Context } from "./suite.js";

const userid = process.getuid?.() ?? 0;

export function signedCases(context: Context): void {
  describe("signed form", () => {
    let broker: BrokerConnection;
    beforeAll(async () => {
      broker = await BrokerConnection.connect(context.uri);
    });
    afterAll(() => broker?.close());

    const ask = (topic: string, payload: object) =>
      new Promise<unknown>((resolve) => {
        const request = { topic, payload: encodePayload(payload) };
        const error = ({ code, message }: FluxError) => resolve([code, message]);
        broker.request(request, { response: resolve, error, end: () => resolve("end") });
      });
    const sign = (topic: string, payload: object, as = userid) =>
      signedPayload(noneSigner(as), topic, { ...payload });

    it("1: is refused with EPERM by a server that cannot verify", async () => {
      const answer = ["EPERM", "signature verification not available"];
      expect(await ask("rexec.list", await sign("rexec.list", {}))).toEqual(answer);
      // What stands beside a signature is not taken in its place.
      const beside = { ...(await sign("rexec.kill", {})), pid: 1, signum: 9 };
      expect(await ask("rexec.kill", beside)).toEqual(answer);
      expect(await ask("rexec.list", {})).toMatchObject({ procs: expect.any(Array) });
    });

    it("2: is refused with EPROTO if the signature is no string", async () => {
      for (const signature of [3, null, {}]) {
        expect(await ask("rexec.list", { signature })).toEqual(["EPROTO", "signature field is not a string"]);
      }
    });

    it("3 to 6: is refused if it is not verified, of another user, of another topic, or malformed", async (test) => {
      const { shell } = context;
      test.skip(shell === undefined, "no shell that requires signatures: --shell names one");
      const [list, kill] = [`${shell}.list`, `${shell}.kill`];
      expect(await ask(list, {})).toEqual(["EPERM", "request signature required"]);
      expect(await ask(list, { signature: "a.b.c" })).toEqual(["EPERM", "signature verification failed"]);
      const other = await sign(list, {}, userid + 1);
      // The mechanism "none" verifies nothing for another user than the server's.
      expect(await ask(list, other)).toEqual(["EPERM", expect.stringMatching(/^signature |^signing /)]);
      const topic = "topic mismatch in signed payload";
      expect(await ask(list, await sign(kill, {}))).toEqual(["EPERM", topic]);
      const text = expect.stringContaining("invalid request payload: ");
      const beside = { ...(await sign(kill, { pid: 1 })), signum: 9 };
      expect(await ask(kill, beside)).toEqual(["EPROTO", text]);
      expect(await ask(kill, await sign(kill, { pid: "1", signum: 9 }))).toEqual(["EPROTO", text]);
      expect(await ask(list, await sign(list, {}))).toMatchObject({ procs: expect.any(Array) });
    });
  });
}
