/**
 * RFC 42, "Request Authentication": the six steps of a server, tested on a separate connection, because the proxy refuses
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

    const request = (topic: string, payload: object) =>
      new Promise<unknown>((resolve) => {
        const message = { topic, payload: encodePayload(payload) };
        const error = ({ code, message }: FluxError) => resolve([code, message]);
        broker.request(message, { response: resolve, error, end: () => resolve("end") });
      });
    const sign = (topic: string, payload: object, as = userid) =>
      signedPayload(noneSigner(as), topic, { ...payload });

    it("1: is refused with EPERM by a server that cannot verify", async () => {
      const answer = ["EPERM", "signature verification not available"];
      expect(await request("rexec.list", await sign("rexec.list", {}))).toEqual(answer);
      // The fields beside a signature do not replace it.
      const beside = { ...(await sign("rexec.kill", {})), pid: 1, signum: 9 };
      expect(await request("rexec.kill", beside)).toEqual(answer);
      expect(await request("rexec.list", {})).toMatchObject({ procs: expect.any(Array) });
    });

    it("2: is refused with EPROTO if the signature is not a string", async () => {
      for (const signature of [3, null, {}]) {
        expect(await request("rexec.list", { signature })).toEqual([
          "EPROTO",
          "signature field is not a string",
        ]);
      }
    });

    it("3 to 6: is refused if it is not verified, of another user, of another topic, or malformed", async (test) => {
      const { shell } = context;
      test.skip(shell === undefined, "no shell that requires signatures: --shell names one");
      const [list, kill] = [`${shell}.list`, `${shell}.kill`];
      expect(await request(list, {})).toEqual(["EPERM", "request signature required"]);
      expect(await request(list, { signature: "a.b.c" })).toEqual(["EPERM", "signature verification failed"]);
      const other = await sign(list, {}, userid + 1);
      // The mechanism "none" verifies nothing for another user than the server's.
      expect(await request(list, other)).toEqual(["EPERM", expect.stringMatching(/^signature |^signing /)]);
      const topic = "topic mismatch in signed payload";
      expect(await request(list, await sign(kill, {}))).toEqual(["EPERM", topic]);
      const text = expect.stringContaining("invalid request payload: ");
      const beside = { ...(await sign(kill, { pid: 1 })), signum: 9 };
      expect(await request(kill, beside)).toEqual(["EPROTO", text]);
      expect(await request(kill, await sign(kill, { pid: "1", signum: 9 }))).toEqual(["EPROTO", text]);
      expect(await request(list, await sign(list, {}))).toMatchObject({ procs: expect.any(Array) });
    });
  });
}
