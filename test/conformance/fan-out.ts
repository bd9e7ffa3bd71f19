import { lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect, exec } from "../../src/index.js";
import { collectEvents, failure, sh, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function fanOutCases(context: Context): void {
  describe("fan-out", () => {
    it("runs on all ranks as one stream of events with their ranks", async () => {
      const all = await lastValueFrom(
        exec(context.flux, sh('echo "$FLUX_URI"'), { nodeid: "all" }).pipe(collect(), toArray()),
      );
      expect(all.map(({ rank }) => rank)).toEqual(all.map((_, i) => i));
      expect(all.length).toBeGreaterThanOrEqual(4);
      for (const each of all) {
        if (each.error) throw each.error;
        expect(utf8(each.stdout)).toMatch(new RegExp(`local-${each.rank}\\n$`));
        expect(each.outcome).toEqual({ kind: "exited", code: 0 });
      }
    });

    it("runs on the ranks of an array, each with its own outcome", async () => {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
      const script = 'exit "${FLUX_URI##*-}"';
      const some = await lastValueFrom(
        exec(context.flux, sh(script), { nodeid: [3, 1] }).pipe(collect(), toArray()),
      );
      expect(some.map((each) => [each.rank, each.error ?? each.outcome])).toEqual([
        [1, { kind: "exited", code: 1 }],
        [3, { kind: "exited", code: 3 }],
      ]);
    });

    it("reports a rank that fails, beside the others", async () => {
      const events = await collectEvents(context.flux, ["echo", "here"], { nodeid: "2-3,9998-9999" });
      const errors = events.flatMap((event) =>
        event.type === "error" ? [[event.rank, event.error.code]] : [],
      );
      expect(errors).toEqual([
        [9998, "EHOSTUNREACH"],
        [9999, "EHOSTUNREACH"],
      ]);
      const outputs = events.flatMap((event) => (event.type === "output" ? [event.rank] : []));
      expect(outputs.sort()).toEqual([2, 3]);
    });

    it("fails when no rank could start, after an error of each", async () => {
      const failed: number[] = [];
      const error = await failure(
        new Promise<void>((resolve, reject) => {
          exec(context.flux, ["/no/such/program"], { nodeid: "1,2" }).subscribe({
            next: (event) => event.type === "error" && failed.push(event.rank),
            error: reject,
            complete: resolve,
          });
        }),
      );
      expect(error.code).toBe("ENOENT");
      expect(failed.sort()).toEqual([1, 2]);
    });
  });
}
