/**
 * The steps of the demo. Each is a piece of a user's program, as text: the demo prints and runs the same text. It may begin with
 * statements; its last expression is the result.
 */
export interface Step {
  title: string;
  code: string;
  /** Matches the printed result. */
  shows: RegExp;
  /** True if the result is an error. */
  fails?: true;
}

/** The steps of the demonstration, in their order. */
export const STEPS: readonly Step[] = [
  {
    title: "Lines of output, as they come",
    code: [
      `const script = "for i in 1 2 3; do echo line $i; sleep 0.2; done";`,
      `exec(flux, ["sh", "-c", script]).pipe(stdout(), lines())`,
    ].join("\n"),
    shows: /line 1.*line 2.*line 3/s,
  },
  {
    title: "The same command on every rank at once",
    code: [
      `exec(flux, ["sh", "-c", "basename $FLUX_URI"], { nodeid: "all" }).pipe(`,
      `  collect({ text: true }),`,
      `  map((each) => each.error ?? { rank: each.rank, pid: each.pid, stdout: each.stdout }),`,
      `)`,
    ].join("\n"),
    shows: /rank: 0, pid: \d+, stdout: 'local-0/,
  },
  {
    title: "Standard input from an Observable",
    code: `exec(flux, ["cat", "-n"], { stdin: from(["alpha\\n", "beta\\n"]) }).pipe(stdout(), lines())`,
    shows: /1\\talpha.*2\\tbeta/s,
  },
  {
    title: "An exit code is an outcome, not an error",
    code: `exec(flux, ["sh", "-c", "exit 7"]).pipe(collect(), map(({ outcome }) => outcome))`,
    shows: /kind: 'exited', code: 7/,
  },
  {
    title: "So is a signal",
    code: `exec(flux, ["sh", "-c", "kill -KILL $$"]).pipe(collect(), map(({ outcome }) => outcome))`,
    shows: /kind: 'signaled', signal: 9/,
  },
  {
    title: "A program that cannot be run is an error, with Flux's errno",
    code: `exec(flux, ["no-such"])`,
    shows: /FluxError: exec no-such on rank 0: .* \(ENOENT\)/,
    fails: true,
  },
  {
    title: "Unsubscribing after the first event ends the process",
    code: [
      `const { pid } = await firstValueFrom(exec(flux, ["sleep", "600"]));`,
      `interval(50).pipe(`,
      `  concatMap(() => list(flux).getProcesses()),`,
      `  first((processes) => processes.every((process) => process.pid !== pid)),`,
      `  map(() => \`process \${pid} is gone\`),`,
      `)`,
    ].join("\n"),
    shows: /process \d+ is gone/,
  },
  {
    title: "spawn: streams and promises, the shape of Deno.ChildProcess",
    code: [
      `const child = spawn(flux, ["tr", "a-z", "A-Z"]);`,
      `const writer = child.stdin.getWriter();`,
      `await writer.write("hello\\n");`,
      `await writer.close();`,
      `const { code, stdout } = await child.output();`,
      `({ pid: await child.pid, code, stdout: new TextDecoder().decode(stdout) })`,
    ].join("\n"),
    shows: /code: 0, stdout: 'HELLO/,
  },
  {
    title: "write: to a process that runs",
    code: [
      `exec(flux, ["cat"], { stdin: NEVER }).pipe(`,
      `  tap((event) => {`,
      `    if (event.type === "started") write(flux, event, "later\\n", { eof: true }).subscribe();`,
      `  }),`,
      `  stdout(),`,
      `  lines(),`,
      `)`,
    ].join("\n"),
    shows: /later/,
  },
  {
    title: "rexecBg: a process that outlives the connection",
    code: [
      `const script = "trap 'echo bye; exit 3' TERM; while :; do echo tick; sleep 0.1; done";`,
      `rexecBg(flux, ["sh", "-c", script], { label: "clock", waitable: true }).getPid()`,
    ].join("\n"),
    shows: /^\d+$/,
  },
  {
    title: "list: the processes of a rank",
    code: `list(flux).getProcesses()`,
    shows: /state: 'R',\s+label: 'clock',\s+cmd: 'sh'/,
  },
  {
    title: "attach: its output for a while",
    code: `attach(flux, { label: "clock" }).pipe(stdout(), lines(), take(2))`,
    shows: /tick.*tick/s,
  },
  {
    title: "kill: a signal, by label or by pid",
    code: `kill(flux, { label: "clock", signum: "SIGTERM" }).get()`,
    shows: /^undefined$/,
  },
  {
    title: "wait: its outcome, and the last of its output",
    code: [
      `const ended = wait(flux, { label: "clock" });`,
      `const kept = new TextDecoder().decode(await ended.stdout);`,
      `({ outcome: await ended.getOutcome(), kept: kept.slice(-9) })`,
    ].join("\n"),
    shows: /kind: 'exited', code: 3.*bye/s,
  },
  {
    title: "rpc: any request to Flux",
    code: `flux.rpc("attr.get", { name: "size" })`,
    shows: /value: '\d+'/,
  },
];
