import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noteContinued, unwatchStops, watchStops } from "../../../proxy/embedded/sigchld.js";
import { eventually } from "./client.js";

const stopped = (pid: number) => / T /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));

describe("watchStops", () => {
  it("reports a stop from before the call, then each later stop once", async () => {
    const pid = spawn("sleep", ["60"]).pid as number;
    process.kill(pid, "SIGSTOP");
    await eventually(() => stopped(pid));
    let stops = 0;
    watchStops(pid, () => {
      stops++;
    });
    expect(stops).toBe(1);
    process.emit("SIGCHLD", "SIGCHLD");
    expect(stops).toBe(1);
    process.kill(pid, "SIGCONT");
    noteContinued(pid);
    process.kill(pid, "SIGSTOP");
    await eventually(() => stops === 2);
    unwatchStops(pid);
    process.kill(pid, "SIGKILL");
    expect(process.listenerCount("SIGCHLD")).toBe(0);
  });
});
