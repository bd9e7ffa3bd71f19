/** The ranks that a command goes to, and the names of their hosts. */
import { filter, firstValueFrom } from "rxjs";
import { type Flux, FluxError, hosts } from "../../src/index.js";
import { CliError, USAGE } from "./errors.js";
import type { Ranks } from "./parse.js";

/** The ranks of `--rank` without those of `--exclude`. A rank that does not exist is left for the broker to refuse. */
export async function targetRanks(flux: Flux, rank: Ranks, exclude: Ranks = []): Promise<readonly number[]> {
  const [ranks, excluded] = await Promise.all([ranksOf(flux, rank), ranksOf(flux, exclude)]);
  const left = new Set(excluded);
  const targets = ranks.filter((id) => !left.has(id));
  if (targets.length === 0) throw new CliError("no ranks are left to run on");
  return targets;
}

/** The one rank of `--rank`, or those where a process has a label. @throws CliError for a pid on several ranks */
export async function processRanks(
  flux: Flux,
  rank: Ranks,
  { pid }: { readonly pid?: number | undefined },
): Promise<readonly number[]> {
  const targets = await targetRanks(flux, rank);
  if (pid !== undefined && targets.length > 1) {
    throw new CliError(`a pid is of one rank: --rank names ${targets.length}`, USAGE);
  }
  return targets;
}

/** The names of all hosts, if the token allows them; undefined if they do not tell ranks apart. */
export async function hostNames(flux: Flux): Promise<ReadonlyMap<number, string> | undefined> {
  try {
    const names = await hosts(flux);
    return names.size > 1 && new Set(names.values()).size === 1 ? undefined : names;
  } catch (error) {
    if (error instanceof FluxError) return undefined;
    throw error;
  }
}

/** As {@link hostNames}, for a report of errors; does not ask without errors. */
export async function hostNamesFor(
  flux: Flux,
  errors: readonly FluxError[],
): Promise<ReadonlyMap<number, string> | undefined> {
  return errors.length > 0 ? hostNames(flux) : undefined;
}

async function ranksOf(flux: Flux, ranks: Ranks): Promise<readonly number[]> {
  if (ranks === "all") return Array.from({ length: await size(flux) }, (_, i) => i);
  if (!("hosts" in ranks)) return ranks;
  return [...(await hosts(flux, ranks)).keys()];
}

/** The number of brokers. Waits until the session is open. */
async function size(flux: Flux): Promise<number> {
  const status = await firstValueFrom(
    flux.status$.pipe(filter(({ state }) => state === "open" || state === "closed")),
  );
  if (status.state === "open") return status.size;
  throw status.state === "closed" && status.error ? status.error : new FluxError("ECANCELED");
}
