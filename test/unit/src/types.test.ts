/** The types that the compiler must refuse and must know: `npx tsc -p . --noEmit` runs most of this. */
import { firstValueFrom, NEVER, type Observable } from "rxjs";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  attach,
  type CompletedProcess,
  type ConnectOptions,
  collect,
  exec,
  type FailedRank,
  type Flux,
  type FluxError,
  type FluxErrorCode,
  kill,
  lines,
  list,
  type OneRankEvent,
  type Outcome,
  orThrow,
  type PidRef,
  type ProcessEvent,
  type ProcessRef,
  type RankLine,
  type RanksRpc,
  type RankText,
  type Rpc,
  rexecBg,
  type Subprocess,
  type SubprocessListRpc,
  type SubprocessWaitRpc,
  spawn,
  stdout,
  type Target,
  text,
  type WaitResult,
  wait,
  write,
} from "../../../src/index.js";
import { openFlux } from "../../support/peer.js";

describe("types: pid and label", () => {
  it("neither is a compile error", async () => {
    const { flux } = await openFlux();
    // @ts-expect-error neither pid nor label
    expect(() => kill(flux, {})).toThrow(TypeError);
    // @ts-expect-error neither pid nor label
    expect(() => kill(flux, { signum: 9, nodeid: 1 })).toThrow(TypeError);
    // @ts-expect-error neither pid nor label
    expect(() => wait(flux, {})).toThrow(TypeError);
    // @ts-expect-error neither pid nor label
    expect(() => attach(flux, { stdout: false })).toThrow(TypeError);
  });

  it("both is a compile error", async () => {
    const { flux } = await openFlux();
    // @ts-expect-error both pid and label
    expect(() => kill(flux, { pid: 1, label: "l" })).toThrow(TypeError);
    // @ts-expect-error both pid and label
    expect(() => wait(flux, { pid: 1, label: "l" })).toThrow(TypeError);
    // @ts-expect-error both pid and label
    expect(() => attach(flux, { pid: 1, label: "l", nodeid: 1 })).toThrow(TypeError);
  });

  it("one is right", () => {
    expectTypeOf(kill).toBeCallableWith({} as Flux, { pid: 1 });
    expectTypeOf(kill).toBeCallableWith({} as Flux, { label: "l", signum: "SIGUSR1" });
    expectTypeOf(wait).toBeCallableWith({} as Flux, { label: "l", nodeid: "any" });
    expectTypeOf(attach).toBeCallableWith({} as Flux, { pid: 1, nodeid: "0-3" });
  });
});

// Never called: only compiled.
function refused(flux: Flux): void {
  // @ts-expect-error no such signal
  kill(flux, { pid: 1, signum: "SIGFOO" });
  // @ts-expect-error each rank has an answer of its own
  void kill(flux, { label: "l", nodeid: "all" }).get().rank;
  // @ts-expect-error the outcome of several ranks is not one
  wait(flux, { label: "l", nodeid: [0, 1] }).getOutcome();
  // @ts-expect-error a list has no process
  list(flux, { rank: 1 });
  // @ts-expect-error a command is an array
  exec(flux, "ls -l");
  // @ts-expect-error a process reads text or bytes
  exec(flux, ["a"], { stdin: 7 });
  // @ts-expect-error a process reads text or bytes
  exec(flux, ["a"], { stdin: [7] });
  // @ts-expect-error one process has one rank
  spawn(flux, ["a"], { nodeid: [0, 3] });
  // @ts-expect-error in background there are no channels
  rexecBg(flux, ["a"], { channels: ["C"] });
  // @ts-expect-error the environment is text
  exec(flux, ["a"], { env: { A: undefined } });
  // @ts-expect-error a handle needs a token
  const options: ConnectOptions = {};
  // @ts-expect-error text is decoded once
  exec(flux, ["a"]).pipe(stdout(), text(), text());
  // @ts-expect-error no such code
  const code: FluxErrorCode = "ENOTHING";
  void [options, code];
}

async function known(flux: Flux): Promise<void> {
  expectTypeOf(kill(flux, { pid: 1 })).toEqualTypeOf<Rpc<void>>();
  expectTypeOf(write(flux, { matchtag: 1 }, "x")).toEqualTypeOf<Rpc<void>>();
  expectTypeOf(list(flux).getProcesses()).toEqualTypeOf<Promise<Subprocess[]>>();
  expectTypeOf(rexecBg(flux, ["a"]).getPid()).toEqualTypeOf<Promise<number>>();
  expectTypeOf(wait(flux, { pid: 1 }).getOutcome()).toEqualTypeOf<Promise<Outcome>>();
  expectTypeOf(await flux.rpc<{ value: string }>("attr.get").get()).toEqualTypeOf<{ value: string }>();
  expectTypeOf(await flux.rpc("attr.get").get()).toEqualTypeOf<unknown>();

  type Each = { readonly rank: number };
  const target = "0-3" as string;
  const anywhere = 0 as Target;
  expectTypeOf(kill(flux, { label: "l", nodeid: undefined })).toEqualTypeOf<Rpc<void>>();
  expectTypeOf(kill(flux, { label: "l", nodeid: 3 })).toEqualTypeOf<Rpc<void>>();
  expectTypeOf(kill(flux, { label: "l", nodeid: "any" })).toEqualTypeOf<Rpc<void>>();
  expectTypeOf(kill(flux, { label: "l", nodeid: "all" })).toEqualTypeOf<RanksRpc<Each>>();
  expectTypeOf(kill(flux, { label: "l", nodeid: "0-3" })).toEqualTypeOf<RanksRpc<Each>>();
  expectTypeOf(kill(flux, { label: "l", nodeid: [0, 3] })).toEqualTypeOf<RanksRpc<Each>>();
  expectTypeOf(kill(flux, { label: "l", nodeid: target })).toEqualTypeOf<Rpc<void> | RanksRpc<Each>>();
  expectTypeOf(kill(flux, { label: "l", nodeid: anywhere })).toEqualTypeOf<Rpc<void> | RanksRpc<Each>>();
  expectTypeOf(list(flux, { nodeid: 1 })).toEqualTypeOf<SubprocessListRpc>();
  expectTypeOf(list(flux, { nodeid: "all" }).getProcesses()).toEqualTypeOf<Promise<Subprocess[]>>();
  expectTypeOf(await wait(flux, { label: "l", nodeid: "all" })).toEqualTypeOf<WaitResult[]>();
  expectTypeOf((await kill(flux, { label: "l", nodeid: "all" }).settle()).errors).toEqualTypeOf<
    FluxError[]
  >();

  const started = await rexecBg(flux, ["a"], { nodeid: 1 });
  expectTypeOf(started).toEqualTypeOf<PidRef>();
  expectTypeOf(started).toExtend<ProcessRef>();
  expectTypeOf(await rexecBg(flux, ["a"], { nodeid: "0-1" })).toEqualTypeOf<PidRef[]>();
  expectTypeOf(kill(flux, started)).toEqualTypeOf<Rpc<void>>();
  expectTypeOf(kill(flux, { ...started, signum: "SIGTERM" })).toEqualTypeOf<Rpc<void>>();
  expectTypeOf(wait(flux, started as ProcessRef)).toEqualTypeOf<SubprocessWaitRpc>();
  expectTypeOf(attach(flux, started)).toEqualTypeOf<Observable<OneRankEvent>>();
  for (const process of await list(flux).getProcesses()) await kill(flux, process.ref);

  const events = exec(flux, ["a"], { stdin: NEVER });
  expectTypeOf(events).toEqualTypeOf<Observable<OneRankEvent>>();
  expectTypeOf(events.pipe(orThrow())).toEqualTypeOf<Observable<OneRankEvent>>();
  expectTypeOf(exec(flux, ["a"], { nodeid: 3 })).toEqualTypeOf<Observable<OneRankEvent>>();
  expectTypeOf(events.pipe(stdout())).toEqualTypeOf<Observable<Uint8Array>>();
  expectTypeOf(events.pipe(stdout(), text(), lines())).toEqualTypeOf<Observable<string>>();
  expectTypeOf(events.pipe(lines())).toEqualTypeOf<Observable<RankLine>>();
  expectTypeOf(events.pipe(text())).toEqualTypeOf<Observable<RankText>>();
  expectTypeOf(events.pipe(collect(), orThrow())).toEqualTypeOf<Observable<CompletedProcess>>();
  expectTypeOf(events.pipe(collect({ text: true }))).toEqualTypeOf<Observable<CompletedProcess<string>>>();

  for (const nodeid of ["0-3", "all", [0, 1]] as const) {
    const several = exec(flux, ["a"], { nodeid });
    expectTypeOf(several).toEqualTypeOf<Observable<ProcessEvent>>();
    expectTypeOf(several.pipe(collect())).toEqualTypeOf<Observable<CompletedProcess | FailedRank>>();
  }
  expectTypeOf(attach(flux, { label: "a", nodeid: "all" })).toEqualTypeOf<Observable<ProcessEvent>>();
  expectTypeOf(attach(flux, { label: "a" })).toEqualTypeOf<Observable<OneRankEvent>>();
  const each = await firstValueFrom(exec(flux, ["a"], { nodeid: "all" }).pipe(collect()));
  // @ts-expect-error a failed rank has no output
  void each.stdout;
  if (!each.error) void each.stdout;
}

function narrowed(event: ProcessEvent, outcome: Outcome): number | undefined {
  if (event.type === "started") return event.pid + event.matchtag;
  // @ts-expect-error only some events have a pid
  void event.pid;
  switch (outcome.kind) {
    case "exited":
      return outcome.code;
    case "signaled":
      return outcome.signal;
    case "unknown":
      return outcome.cause.errno;
    default:
      expectTypeOf(outcome).toEqualTypeOf<never>();
      return undefined;
  }
}

describe("types", () => {
  it("are compiled", () => {
    expectTypeOf(refused).returns.toBeVoid();
    expectTypeOf(known).returns.resolves.toBeVoid();
    expectTypeOf(narrowed).returns.toEqualTypeOf<number | undefined>();
  });
});
