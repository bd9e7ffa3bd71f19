/** A proxy under attack: what that costs it, and what another client notices of it. */
import { connect, exec, type Flux } from "../../src/index.js";
import type { AttackName, Damage } from "./attack.js";
import { Server, startServers } from "./servers.js";

export interface UnderAttackOptions {
  attack: AttackName;
  /** The ranks of a broker that only claims them; absent: the embedded broker, of one rank. */
  claimed?: number | undefined;
  /** A broker that runs; absent: as `claimed` says. */
  uri?: string | undefined;
  /** How long the attacker stays after its attack, in milliseconds. */
  ms: number;
}

export interface UnderAttack {
  damage: Damage;
  /** By how much the memory of the proxy grew at its most, in bytes. */
  growth: number;
  /** How long `true` of another client took, in milliseconds: the median without the attack, and the longest with it. */
  usual: number;
  longest: number;
  /** How many of those there were during the attack. */
  served: number;
  /** True if the proxy ended, by itself or because it had grown past all bounds. */
  dead: boolean;
}

/** Past this the proxy is ended: the machine is to be of use afterwards. */
const MOST = 3 * 2 ** 30;

export async function underAttack({
  attack,
  claimed,
  ms,
  ...options
}: UnderAttackOptions): Promise<UnderAttack> {
  const wide = claimed === undefined ? undefined : Server.start();
  const uri = wide
    ? await wide.request<string>({ command: "wide-broker", size: claimed as number })
    : options.uri;
  const servers = await startServers({ uri });
  const { proxy, url, token } = servers;
  const attacker = Server.start();
  const flux = connect(url, { token, retry: false });
  const usual: number[] = [];
  for (let i = 0; i < 20; i++) usual.push(await run(flux));
  await proxy.request({ command: "gc" });
  const before = proxy.rss;
  let most = before;
  let dead = false;
  const look = () => {
    try {
      most = Math.max(most, proxy.rss);
      if (most > MOST) process.kill(proxy.pid, "SIGKILL");
    } catch {
      dead = true;
    }
  };
  const looks = setInterval(look, 20);
  let over = false;
  const damage = attacker
    .request<Damage>({ command: "attack", name: attack, target: { url, token }, ms })
    .finally(() => {
      over = true;
    });
  const during: number[] = [];
  while (!over && !dead) {
    const began = performance.now();
    const pause = new Promise((resolve) => setTimeout(resolve, 5));
    try {
      during.push(await run(flux));
    } catch {
      during.push(performance.now() - began);
      dead = true;
    }
    await pause;
  }
  const result = await damage;
  clearInterval(looks);
  look();
  flux.close();
  await attacker.close();
  if (dead) await servers.broker?.close();
  else await servers.close();
  await wide?.close();
  const sorted = usual.sort((a, b) => a - b);
  return {
    damage: result,
    growth: most - before,
    usual: sorted[sorted.length >> 1] ?? Number.NaN,
    longest: Math.max(...during),
    served: during.length,
    dead,
  };
}

/** Runs `true`. @returns how long it took, in milliseconds */
async function run(flux: Flux): Promise<number> {
  const began = performance.now();
  await exec(flux, ["true"]).forEach(() => {});
  return performance.now() - began;
}
