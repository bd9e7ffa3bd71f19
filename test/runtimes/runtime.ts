import type { World } from "./suite/context.js";
import type { Result } from "./suite/suite.js";

/** Where the client runs, and how to have it run there. */
export interface Runtime {
  name: string;
  /** Why it cannot be run here; absent: it can. */
  missing?: string | undefined;
  version(): Promise<string>;
  /** Programs of the consumer that it runs too; each counts as a case. */
  programs?: readonly string[];
  /** Runs the suite. @param dir of the consumer */
  run(dir: string, world: World): Promise<Result[]>;
}
