/** The activities of clients whose connection fails, each with the truth to compare its events with. */
import { firstValueFrom, skipWhile } from "rxjs";
import { expect } from "vitest";
import {
  exec,
  type Flux,
  FluxError,
  list,
  type Outcome,
  rexecBg,
  type Subprocess,
  spawn,
  wait,
} from "../../src/index.js";
import { sh, uniqueLabel, until } from "../support/process.js";
import { checkRun, expectPrefix, expectSame, lost } from "./verdict.js";

export interface Scenario {
  readonly name: string;
  /** Runs the scenario and checks its events. @returns the lost session's error; undefined if nothing failed */
  run(flux: Flux): Promise<FluxError | undefined>;
}

/** The broker's ranks that the scenarios need. */
export const SIZE = 3;

/** Labels of background processes, which may outlive their session. */
export const BACKGROUND = /^test-/;

const encoder = new TextEncoder();

/** The output of seq(1), with a prefix on each line. */
const seq = (last: number, prefix = "") =>
  encoder.encode(Array.from({ length: last }, (_, n) => `${prefix}${n + 1}\n`).join(""));

const exited = (code: number): Outcome => ({ kind: "exited", code });

const nothing = new Uint8Array();

/** Waits until all promises settle. @returns the first rejection */
async function settled(...promises: readonly Promise<unknown>[]): Promise<FluxError | undefined> {
  const results = await Promise.allSettled(promises);
  const errors = results.flatMap((result) => (result.status === "rejected" ? [lost(result.reason)] : []));
  return errors[0];
}

/** The handshake, the opening and one small request. */
const opening: Scenario = {
  name: "opening",
  async run(flux) {
    const open = firstValueFrom(flux.status$.pipe(skipWhile(({ state }) => state === "connecting")));
    const answers = [list(flux).getProcesses(), list(flux, { nodeid: 1 }).getProcesses()];
    const error = await settled(...answers);
    const { state } = await open;
    // The opening comes before the answer.
    expect(error ? ["open", "closed"] : ["open"]).toContain(state);
    return error;
  },
};

/** Several hundred KiB of output on two streams, and an exit code that no fault would produce by chance. */
const output: Scenario = {
  name: "exec with output",
  run: (flux) =>
    checkRun(
      exec(flux, sh("seq 40000; seq 20000 >&2; seq 100; exit 3")),
      new Map([
        [
          0,
          {
            outcome: exited(3),
            streams: { stdout: Buffer.concat([seq(40_000), seq(100)]), stderr: seq(20_000) },
          },
        ],
      ]),
    ),
};

const INPUT = seq(50_000);

/** Input through cat. Its source must be unsubscribed when its process no longer reads. */
const input: Scenario = {
  name: "exec with input",
  async run(flux) {
    let over = false;
    async function* source() {
      try {
        for (let at = 0; at < INPUT.length; at += 30_000) yield INPUT.subarray(at, at + 30_000);
      } finally {
        over = true;
      }
    }
    const truth = { outcome: exited(5), streams: { stdout: INPUT, stderr: nothing } };
    const error = await checkRun(exec(flux, sh("cat; exit 5"), { stdin: source() }), new Map([[0, truth]]));
    // A source without a subscription has nothing to clean up.
    if (error === undefined || error.code === "ECONNRESET") await until(() => over, "the source is let go");
    return error;
  },
};

/** Three processes with different outputs and ends, none of which exits with 0. */
const fanOut: Scenario = {
  name: "fan-out",
  run: (flux) =>
    checkRun(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable
      exec(flux, sh('r=${FLUX_URI##*-}; seq 10000 | sed "s/^/$r:/"; exit $((r + 4))'), { nodeid: "0-2" }),
      new Map(
        [0, 1, 2].map((rank) => [
          rank,
          { outcome: exited(rank + 4), streams: { stdout: seq(10_000, `${rank}:`), stderr: nothing } },
        ]),
      ),
    ),
};

/** The streams and promises of a ChildProcess. */
const streams: Scenario = {
  name: "spawn",
  async run(flux) {
    const child = spawn(flux, sh("cat; exit 5"));
    const pieces: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of child.stdout) pieces.push(piece);
      // A stream that ends without an error is complete.
      expectSame(pieces, INPUT);
    })();
    const noErrors = (async () => {
      for await (const _ of child.stderr) throw new Error("cat wrote to stderr");
    })();
    const writing = (async () => {
      const writer = child.stdin.getWriter();
      for (let at = 0; at < INPUT.length; at += 30_000) await writer.write(INPUT.subarray(at, at + 30_000));
      await writer.close();
    })().catch((error) => {
      if (!(error instanceof FluxError && error.code === "EPIPE")) lost(error);
    });
    const ended = child.status.then((status) =>
      expect(status).toEqual({ success: false, code: 5, signal: null }),
    );
    const error = await settled(child.pid, reading, noErrors, ended, writing);
    expectPrefix(pieces, INPUT);
    return error;
  },
};

/** A background process and its status, which can be read once: by this session, or later by another. */
const background: Scenario = {
  name: "rexecBg and wait",
  async run(flux) {
    const label = uniqueLabel();
    let status: number | undefined;
    const error = await settled(
      (async () => {
        await rexecBg(flux, sh("seq 100; exit 3"), { label, waitable: true }).getPid();
        const waiting = wait(flux, { label });
        status = await waiting.getStatus();
        expectSame([await waiting.stdout], seq(100));
      })(),
    );
    if (error === undefined) expect(status).toBe(3 << 8);
    else expect(status).toBeUndefined();
    return error;
  },
};

export const SCENARIOS: readonly Scenario[] = [opening, output, input, fanOut, streams, background];

/** All processes of all ranks. */
export async function processes(flux: Flux): Promise<Subprocess[]> {
  const ranks = Array.from({ length: SIZE }, (_, nodeid) => list(flux, { nodeid }).getProcesses());
  return (await Promise.all(ranks)).flat();
}

/** Waits for the background processes that are left. Each has exited, and its status can still be read once. */
export async function takeBackground(flux: Flux): Promise<void> {
  for (const { label } of (await processes(flux)).filter((process) => BACKGROUND.test(process.label))) {
    expect(await wait(flux, { label }).getStatus()).toBe(3 << 8);
  }
}
