/** The same lines over the same schedule of cuts through a plain bridge. */
import { startInjector } from "./injector.js";
import { type Account, Ledger, LINE } from "./lines.js";
import { PlainClient, startPlainBridge } from "./plain-bridge.js";
import type { TransferOptions } from "./transfer.js";

export interface Contrast {
  cuts: number;
  account: Account;
  /** The number of processes that it took. */
  processes: number;
  /** True if the client reported success although not every byte came back exactly once. */
  falseSuccess: boolean;
}

export async function contrast({
  seed,
  bytes,
  cutting,
}: Pick<TransferOptions, "seed" | "bytes" | "cutting">): Promise<Contrast> {
  const count = Math.ceil(bytes / LINE);
  const bridge = await startPlainBridge();
  const injector = await startInjector({
    target: bridge.url,
    seed,
    schedule: (connection, random) => cutting.schedule(connection, random, count * LINE - ledger.received),
    happened: (fault) => {
      if (cutting.happened(fault)) client.reconnect();
    },
  });
  const ledger = new Ledger(seed, count);
  const client = new PlainClient(injector.url(bridge.url), seed, count, ledger);
  // Resolves when the client believes that `cat` exited with 0.
  await client.run();
  const account = ledger.account();
  const { processes } = bridge;
  await injector.close();
  await bridge.close();
  const { lost, doubled, torn } = account;
  return { cuts: cutting.cuts, account, processes, falseSuccess: lost + doubled + torn > 0 };
}
