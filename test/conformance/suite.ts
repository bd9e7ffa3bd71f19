/**
 * Duties of every broker, tested by a client through a proxy: the same cases on the embedded broker and on a real Flux
 * of four ranks or more. They leave nothing behind, and bear with processes that are not theirs.
 */
import { afterAll, beforeAll, describe } from "vitest";
import type { ProxyOptions, RunningProxy } from "../../proxy/index.js";
import type { Flux } from "../../src/index.js";
import { type Stack, startStack } from "../support/stack.js";
import { attachCases } from "./attach.js";
import { backgroundCases } from "./background.js";
import { clauseCases } from "./clauses.js";
import { execCases } from "./exec.js";
import { execBgCases } from "./exec-bg.js";
import { fanOutCases } from "./fan-out.js";
import { flowCases } from "./flow.js";
import { gatewayCases } from "./gateway.js";
import { inputCases } from "./input.js";
import { jobCases } from "./jobs.js";
import { outputCases } from "./output.js";
import { ranksCases } from "./ranks.js";
import { rpcCases } from "./rpc.js";
import { sdexecCases } from "./sdexec.js";
import { sessionCases } from "./session.js";
import { signedCases } from "./signed.js";
import { spawnCases } from "./spawn.js";
import { watchCases } from "./watch.js";

/** The environment of a case. */
export interface Context {
  /** A handle that all cases share. */
  readonly flux: Flux;
  /** A handle of a session of its own. */
  connect(): Flux;
  /** A further proxy, with these options beside the required ones, and a token that it accepts. The case closes it. */
  proxyWith(options: Partial<ProxyOptions>): Promise<{ proxy: RunningProxy; token: string }>;
  /** The broker's URI. */
  readonly uri: string;
  /** The rexec service of a job shell that requires signatures, of the mechanism "none" too, if there is one. */
  readonly shell: string | undefined;
}

export function conformance(name: string, uri: string | undefined, shell?: string): void {
  describe(`conformance: ${name}`, () => {
    let stack: Stack;
    let flux: Flux;
    beforeAll(async () => {
      stack = await startStack({ uri });
      flux = stack.connect();
    });
    afterAll(() => stack?.close());

    const context: Context = {
      get flux() {
        return flux;
      },
      connect: () => stack.connect(),
      proxyWith: (options) => stack.proxyWith(options),
      get uri() {
        return stack.uri;
      },
      get shell() {
        return shell ?? stack.shell;
      },
    };
    gatewayCases(() => stack.uri);
    jobCases(() => stack.uri, uri !== undefined);
    for (const cases of [
      rpcCases,
      execCases,
      outputCases,
      inputCases,
      fanOutCases,
      ranksCases,
      backgroundCases,
      attachCases,
      execBgCases,
      clauseCases,
      spawnCases,
      flowCases,
      watchCases,
      sdexecCases,
      signedCases,
      sessionCases,
    ]) {
      cases(context);
    }
  });
}
