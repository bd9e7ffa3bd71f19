import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Flux, kill, list, rexecBg, wait } from "../../src/index.js";
import { run, sh, uniqueLabel, utf8 } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";

/** A gateway in front of the same broker, and a token of the instance owner. */
export function gatewayCases(uri: () => string): void {
  describe("the instance owner through a gateway", () => {
    let stack: Stack;
    let flux: Flux;
    beforeAll(async () => {
      stack = await startStack({ uri: uri(), gateway: true });
      flux = stack.connect();
    });
    afterAll(() => stack?.close());

    // A multi-user instance has rank 0 serve its owner only with the role `local` (RFC 12).
    it.each([0, 1, "any"] as const)("runs, lists, signals and waits on rank %s", async (nodeid) => {
      const completed = await run(flux, sh("echo here"), { nodeid });
      expect(utf8(completed.stdout)).toBe("here\n");
      const label = uniqueLabel();
      const pid = await rexecBg(flux, ["sleep", "60"], { label, waitable: true, nodeid }).getPid();
      expect(await list(flux, { nodeid }).getProcesses()).toContainEqual(
        expect.objectContaining({ pid, label }),
      );
      await kill(flux, { pid, signum: 15, nodeid }).get();
      expect(await wait(flux, { pid, nodeid }).getOutcome()).toMatchObject({ kind: "signaled" });
    });
  });
}
