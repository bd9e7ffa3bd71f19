/** `demo`: every verb once, against a broker and a proxy in this process, over a real WebSocket. */
import type { Command } from "commander";
import { fromEvent } from "rxjs";
import { connect } from "../../src/index.js";
import { indent, runStep } from "./demo/run-step.js";
import { STEPS } from "./demo/steps.js";
import { type EmbeddedStack, startEmbeddedStack } from "./embedded.js";
import { pageUrl } from "./page-url.js";
import { type Listen, listenOption, positiveInteger } from "./parse.js";
import { untilSignal } from "./signals.js";
import { type Style, styleFor } from "./style.js";
import { writeTokenFile } from "./token-file.js";

interface DemoOptions {
  once?: boolean;
  ranks: number;
  listen: Listen;
}

/** Adds the command `demo`. @param end takes the exit code */
export function addDemo(program: Command, end: (code: number) => void): void {
  program
    .command("demo")
    .description("run every verb against a broker and a proxy in this process")
    .option("--once", "end after the last verb (default: serve until Ctrl-C)")
    .option("--ranks <N>", "the number of ranks", positiveInteger, 4)
    .addOption(listenOption())
    .action(async (options: DemoOptions) => end(await demo(options)));
}

async function demo({ once, ranks, listen }: DemoOptions): Promise<number> {
  const style = styleFor(process.stdout);
  const stop = new AbortController();
  const signaled = untilSignal().then(() => stop.abort());
  const stack = await startEmbeddedStack(ranks, { ...listen, dashboard: !once });
  try {
    print(`Flux's subprocess API over a WebSocket: ${ranks} ranks on this machine, a proxy, and a client.\n`);
    const failures = await runSteps(stack, style, stop.signal);
    if (!once && !stop.signal.aborted) {
      print(howToConnect(stack, style));
      await signaled;
    }
    return failures === 0 ? 0 : 1;
  } finally {
    await stack.close();
  }
}

/** @returns the number of steps that failed */
async function runSteps({ url, token }: EmbeddedStack, style: Style, stop: AbortSignal): Promise<number> {
  print(indent(style.code(`import { connect, exec, list, ... } from "flux-subprocess";`)));
  print(indent(style.code(`const flux = connect("${url}", { token });`)));
  const flux = connect(url, { token });
  let failures = 0;
  for (const [i, step] of STEPS.entries()) {
    if (stop.aborted) break;
    print(`\n${String(i + 1).padStart(2)}  ${style.title(step.title)}`);
    print(indent(style.code(step.code)));
    const right = await runStep(step, { flux, style, print, stopped: fromEvent(stop, "abort") });
    if (!right && !stop.aborted) failures++;
  }
  flux.close();
  if (!stop.aborted)
    print(`\n${failures === 0 ? style.good("All of it worked.") : style.bad(`${failures} failed.`)}`);
  return failures;
}

function howToConnect({ url, token }: EmbeddedStack, style: Style): string {
  const commands = [
    `export FLUX_SUBPROCESS_URL=${url}`,
    `export FLUX_SUBPROCESS_TOKEN=$(cat ${writeTokenFile(token)})`,
    "npx flux-subprocess exec -l hostname",
  ];
  const terminal = indent(style.code(commands.join("\n")));
  return [
    "\nIt serves until Ctrl-C. From another terminal:",
    terminal,
    "and in a browser:",
    indent(style.code(pageUrl(url, token))),
  ].join("\n\n");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
