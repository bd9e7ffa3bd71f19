/** The ranks that a command goes to. */
import { filter, firstValueFrom } from "rxjs";
import { type Flux, FluxError } from "../../src/index.js";
import { CliError } from "./errors.js";

/** The ranks of `--rank` without those of `--exclude`. A rank that does not exist is left for the broker to refuse. */
export async function targetRanks(
  flux: Flux,
  rank: "all" | readonly number[],
  exclude: readonly number[] = [],
): Promise<number[]> {
  const ranks = rank === "all" ? Array.from({ length: await size(flux) }, (_, i) => i) : rank;
  const targets = ranks.filter((id) => !exclude.includes(id));
  if (targets.length === 0) throw new CliError("no ranks are left to run on");
  return targets;
}

/** The number of brokers. Waits until the session is open. */
async function size(flux: Flux): Promise<number> {
  const status = await firstValueFrom(
    flux.status$.pipe(filter(({ state }) => state === "open" || state === "closed")),
  );
  if (status.state === "open") return status.size;
  throw status.state === "closed" && status.error ? status.error : new FluxError("ECANCELED");
}
