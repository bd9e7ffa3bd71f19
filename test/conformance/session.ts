import { firstValueFrom, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { attach, exec, kill, list, rexecBg } from "../../src/index.js";
import { failure, uniqueLabel, untilGone } from "../support/process.js";
import type { Context } from "./suite.js";

export function sessionCases(context: Context): void {
  describe("session", () => {
    it("ends its foreground processes, and leaves those in background", async () => {
      const flux = context.connect();
      const label = uniqueLabel();
      const background = await rexecBg(flux, ["sleep", "60"], { label, nodeid: 1 }).getPid();
      const attachment = new Promise((resolve) => {
        attach(flux, { label, nodeid: 1 }).subscribe({ next: resolve, error: resolve });
      });
      const foreground = await new Promise<number>((resolve) => {
        exec(flux, ["sleep", "60"], { nodeid: 1 }).subscribe({
          next: (event) => event.type === "started" && resolve(event.pid),
          error: () => {},
        });
      });
      await attachment;
      flux.close();
      await untilGone(context.flux, foreground, 1);
      const left = await list(context.flux, { nodeid: 1 }).getProcesses();
      expect(left.find((process) => process.pid === background)?.state).toBe("R");
      await kill(context.flux, { label, nodeid: 1, signum: 9 }).get();
      await untilGone(context.flux, background, 1);
    });

    it("ends open requests with an error, and refuses new ones", async () => {
      const flux = context.connect();
      const statuses = lastValueFrom(flux.status$.pipe(toArray()));
      const running = failure(lastValueFrom(exec(flux, ["sleep", "60"])));
      await list(flux).get();
      flux.close();
      expect(await running).toMatchObject({ code: "ECANCELED", topic: "rexec.exec" });
      expect(await failure(list(flux).get())).toMatchObject({ code: "ESHUTDOWN" });
      expect((await statuses).map(({ state }) => state)).toEqual(["connecting", "open", "closed"]);
    });

    it("keeps many processes apart", async () => {
      const codes = await Promise.all(
        Array.from({ length: 30 }, async (_, i) => {
          const events = await firstValueFrom(
            exec(context.flux, ["sh", "-c", `echo ${i}; exit ${i}`], { nodeid: i % 4 }).pipe(toArray()),
          );
          const output = events.flatMap((event) => (event.type === "output" ? [...event.data] : []));
          const finished = events.find((event) => event.type === "finished");
          return [String.fromCharCode(...output), finished?.rank, finished?.outcome];
        }),
      );
      expect(codes).toEqual(
        Array.from({ length: 30 }, (_, i) => [`${i}\n`, i % 4, { kind: "exited", code: i }]),
      );
    });
  });
}
