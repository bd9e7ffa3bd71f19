import { filter, firstValueFrom, lastValueFrom, takeWhile, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { exec, kill, type ProcessTable, rexecBg, wait, watch } from "../../src/index.js";
import { sh, uniqueLabel } from "../support/process.js";
import type { Context } from "./suite.js";

export function watchCases(context: Context): void {
  describe("watch", () => {
    /** The states that the process of a label goes through, on its rank, until it is gone. */
    const life = (label: string, nodeid?: number) => {
      let present = false;
      const find = ({ processes }: ProcessTable) => processes.find((process) => process.label === label);
      const table$ = watch(context.flux, nodeid === undefined ? {} : { nodeid });
      return lastValueFrom(
        table$.pipe(
          takeWhile((table) => {
            const gone = present && find(table) === undefined;
            present ||= find(table) !== undefined;
            return !gone;
          }),
          toArray(),
        ),
      ).then((tables) => {
        const rows = tables.flatMap((table) => find(table) ?? []);
        return rows.filter((row, i) => row !== rows[i - 1]).map(({ rank, state, cmd }) => [rank, state, cmd]);
      });
    };

    it("shows a process in the foreground while it is there", async () => {
      const label = uniqueLabel();
      const states = life(label);
      await lastValueFrom(exec(context.flux, sh("sleep 1"), { label, nodeid: 2 }));
      expect((await states)[0]).toEqual([2, "R", "sh"]);
    });

    it("shows a process in background, and the zombie that it becomes", async () => {
      const label = uniqueLabel();
      const states = life(label, 1);
      const untilState = (wanted: string) =>
        firstValueFrom(
          watch(context.flux, { nodeid: 1 }).pipe(
            filter(({ processes }) =>
              processes.some((each) => each.label === label && each.state === wanted),
            ),
          ),
        );
      // By another session, and so by another connection to the broker.
      const other = context.connect();
      await rexecBg(other, ["sleep", "60"], { label, waitable: true, nodeid: 1 }).get();
      await untilState("R");
      await kill(other, { label, nodeid: 1 }).get();
      await untilState("Z");
      await wait(other, { label, nodeid: 1 }).get();
      expect(await states).toEqual([
        [1, "R", "sleep"],
        [1, "Z", "sleep"],
      ]);
    });

    it("shows the errors of absent ranks and services in its table", async () => {
      const { errors } = await firstValueFrom(watch(context.flux, { nodeid: "0-1,9998-9999" }));
      expect(errors.map(({ rank, code }) => [rank, code])).toEqual([
        [9998, "EHOSTUNREACH"],
        [9999, "EHOSTUNREACH"],
      ]);
      const none = await firstValueFrom(watch(context.flux, { nodeid: 1, service: "none.rexec" }));
      expect(none.errors).toMatchObject([{ rank: 1, code: "ENOSYS", topic: "none.rexec.list" }]);
      expect(none.processes).toEqual([]);
    });
  });
}
