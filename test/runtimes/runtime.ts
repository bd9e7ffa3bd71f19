import type { World } from "./suite/context.js";
import type { Result } from "./suite/suite.js";

/** A runtime for the client, and the way to run the suite there. */
export interface Runtime {
  name: string;
  /** The reason that this machine cannot run it. Absent if it can. */
  missing?: string | undefined;
  version(): Promise<string>;
  /** The consumer's programs that it runs too. Each counts as a case. */
  programs?: readonly string[];
  /** Runs the suite. @param dir the consumer's directory */
  run(dir: string, world: World): Promise<Result[]>;
}
