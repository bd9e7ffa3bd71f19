import { describe, expect, it } from "vitest";
import { spawn } from "../../src/index.js";
import { failure, sh, until, untilGone, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function spawnCases(context: Context): void {
  describe("spawn", () => {
    it("gives output and status", async () => {
      const { stdout, stderr, ...status } = await spawn(
        context.flux,
        sh("echo out; echo err >&2; exit 3"),
      ).output();
      expect([utf8(stdout), utf8(stderr)]).toEqual(["out\n", "err\n"]);
      expect(status).toEqual({ success: false, code: 3, signal: null });
    });

    it("has streams both ways", async () => {
      const child = spawn(context.flux, ["tr", "a-z", "A-Z"], { nodeid: 2 });
      expect(await child.pid).toBeGreaterThan(1);
      const writer = child.stdin.getWriter();
      await writer.write("hello ");
      await writer.write(new TextEncoder().encode("world"));
      await writer.close();
      expect(await new Response(child.stdout).text()).toBe("HELLO WORLD");
      expect(await child.status).toEqual({ success: true, code: 0, signal: null });
    });

    it("can be killed", async () => {
      const child = spawn(context.flux, ["sleep", "60"]);
      await child.kill("SIGKILL");
      expect(await child.status).toEqual({ success: false, code: 137, signal: "SIGKILL" });
      expect(await failure(child.kill())).toMatchObject({ code: "ESRCH" });
    });

    it("is gone when it is disposed of", async () => {
      let pid: number;
      {
        await using child = spawn(context.flux, ["sleep", "60"]);
        pid = await child.pid;
      }
      await untilGone(context.flux, pid);
    });

    it("rejects with the error of a failed start", async () => {
      const child = spawn(context.flux, ["/no/such/program"]);
      expect(await failure(child.pid)).toMatchObject({ code: "ENOENT" });
      expect(await failure(child.status)).toMatchObject({ code: "ENOENT" });
      await expect(child.stdout.getReader().read()).rejects.toMatchObject({ code: "ENOENT" });
    });

    it("rejects a write to a process that has closed its input", async () => {
      const child = spawn(context.flux, ["true"]);
      await child.status;
      const writer = child.stdin.getWriter();
      // Between its end and the end of its input, which Flux tells later, a write is taken as a pipe would take it.
      const writing = until(() => writer.write("x").then(() => false), "a write is refused");
      await expect(writing).rejects.toMatchObject({ code: "EPIPE" });
    });
  });
}
