import { filter, firstValueFrom } from "rxjs";
import { describe, expect, it } from "vitest";
import { noneSigner } from "../../src/signing/none.js";
import { signedPayload } from "../../src/signing/signer.js";
import { failure } from "../support/process.js";
import type { Context } from "./suite.js";

export function rpcCases(context: Context): void {
  describe("rpc", () => {
    it("returns the size of the instance", async () => {
      const status = await firstValueFrom(context.flux.status$.pipe(filter(({ state }) => state === "open")));
      const { value } = await context.flux.rpc<{ value: string }>("attr.get", { name: "size" }).get();
      expect(Number(value)).toBeGreaterThanOrEqual(4);
      expect(status).toMatchObject({
        state: "open",
        rank: 0,
        size: Number(value),
        owner: process.getuid?.(),
      });
    });

    it("goes to the rank that it names", async () => {
      const rank = await context.flux
        .rpc<{ value: string }>("attr.get", { name: "rank" }, { nodeid: 2 })
        .get();
      expect(rank.value).toBe("2");
    });

    it("returns the errno for an attribute that does not exist", async () => {
      expect(await failure(context.flux.rpc("attr.get", { name: "no.such" }).get())).toMatchObject({
        errno: 2,
        code: "ENOENT",
        topic: "attr.get",
      });
    });

    it("gives the broker's text for a service that is not there", async () => {
      expect(await failure(context.flux.rpc("nope.rexec.list").get())).toMatchObject({
        code: "ENOSYS",
        reason: "No service matching nope.rexec.list is registered",
      });
    });

    it("refuses a method that a subprocess server does not have", async () => {
      for (const topic of ["rexec.nope", "rexec.disconnect", "rexec.ping"]) {
        expect(await failure(context.flux.rpc(topic).get())).toMatchObject({
          code: "EPERM",
          reason: "no token allows rpc: its service runs commands, or is a user's own",
        });
      }
    });

    it("gives EHOSTUNREACH for a rank that is not there", async () => {
      expect(await failure(context.flux.rpc("rexec.list", {}, { nodeid: 9999 }).get())).toMatchObject({
        errno: 113,
        code: "EHOSTUNREACH",
        rank: 9999,
      });
    });

    it("refuses payloads that RFC 42 does not have, each with its text", async () => {
      const cmd = { cmdline: ["true"], env: {}, opts: {}, channels: [] };
      const errors: unknown[] = [];
      const signed = await signedPayload(noneSigner(process.getuid?.() ?? 0), "rexec.list", {});
      for (const [topic, payload] of [
        ["rexec.exec", { flags: 0 }],
        ["rexec.exec", { cmd, flags: 8 }],
        ["rexec.exec", { cmd: { ...cmd, channels: ["X"] }, flags: 0 }],
        ["rexec.exec", { cmd: { ...cmd, cmdline: [] }, flags: 0 }],
        ["rexec.kill", { pid: "x", signum: 1 }],
        ["rexec.list", signed],
      ] as const) {
        const { code, reason } = await failure(context.flux.rpc(topic, payload).get());
        errors.push([code, reason]);
      }
      expect(errors).toEqual([
        ["EPROTO", "invalid request payload: Object item not found: cmd"],
        ["EINVAL", "write-credit flag is not allowed in background mode"],
        ["EINVAL", "auxiliary channels are not allowed in background mode"],
        ["EPROTO", "command string is empty"],
        ["EPROTO", "invalid request payload: Expected integer, got string"],
        ["EPERM", "signature verification not available"],
      ]);
    });
  });
}
