/** Runs examples against a broker and a proxy of their own. */
import { inspect } from "node:util";
import * as rxjs from "rxjs";
import * as embedded from "../../proxy/embedded/index.js";
import * as proxy from "../../proxy/index.js";
import * as client from "../../src/index.js";
import { JOB_DETAILS, JOB_SCOPE } from "../support/rights.js";
import { startStack } from "../support/stack.js";
import { toJavaScript } from "./examples.js";

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...parameters: string[]
) => (...values: unknown[]) => Promise<void>;

// An example need not unsubscribe: its streams may fail when the world closes.
rxjs.config.onUnhandledError = (error) => {
  if (!(error instanceof client.FluxError && error.code === "ECANCELED")) throw error;
};

export interface World {
  /** Runs an example. @returns the lines that it has printed so far, and prints later */
  run(code: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Four ranks with a job shell. The handles of the examples are closed with it. */
export async function startWorld(): Promise<World> {
  const stack = await startStack({ scope: JOB_SCOPE, details: JOB_DETAILS });
  const handles: client.Flux[] = [];
  const connect: typeof client.connect = (url, options) => {
    const flux = client.connect(url, options);
    handles.push(flux);
    return flux;
  };
  const given = {
    ...rxjs,
    ...embedded,
    ...proxy,
    ...client,
    connect,
    flux: stack.connect(),
    url: stack.url,
    token: stack.token,
    userid: process.getuid?.(),
    service: stack.shell,
    file: Object.assign(new Blob(["b\na\n"]), { write: async () => {} }),
    fetchToken: async () => stack.token,
    draw: () => {},
  };
  return {
    async run(code) {
      const lines: string[] = [];
      const log = (...values: unknown[]) => {
        lines.push(values.map((value) => (typeof value === "string" ? value : inspect(value))).join(" "));
      };
      const names = [...Object.keys(given), "console"];
      await new AsyncFunction(...names, toJavaScript(code))(...Object.values(given), { log });
      return lines;
    },
    async close() {
      for (const flux of handles) flux.close();
      await stack.close();
    },
  };
}
