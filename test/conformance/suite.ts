/**
 * What every broker must do, seen by a client through a proxy: the same cases on the embedded broker and on a real Flux
 * of four ranks or more. They leave nothing behind, and bear with processes that are not theirs.
 */
import { afterAll, beforeAll, describe } from "vitest";
import type { Flux } from "../../src/index.js";
import { type Stack, startStack } from "../support/stack.js";
import { attachCases } from "./attach.js";
import { backgroundCases } from "./background.js";
import { execCases } from "./exec.js";
import { fanOutCases } from "./fan-out.js";
import { flowCases } from "./flow.js";
import { gatewayCases } from "./gateway.js";
import { inputCases } from "./input.js";
import { outputCases } from "./output.js";
import { rpcCases } from "./rpc.js";
import { sessionCases } from "./session.js";
import { spawnCases } from "./spawn.js";
import { watchCases } from "./watch.js";

/** What a case gets. */
export interface Context {
  /** A handle that all cases share. */
  readonly flux: Flux;
  /** A handle of a session of its own. */
  connect(): Flux;
}

export function conformance(name: string, uri: string | undefined): void {
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
    };
    gatewayCases(() => stack.uri);
    for (const cases of [
      rpcCases,
      execCases,
      outputCases,
      inputCases,
      fanOutCases,
      backgroundCases,
      attachCases,
      spawnCases,
      flowCases,
      watchCases,
      sessionCases,
    ]) {
      cases(context);
    }
  });
}
