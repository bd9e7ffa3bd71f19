/**
 * A small broker for one machine, for tests and for development without Flux. It runs real processes and serves RFC 42 on UNIX sockets,
 * with the bytes of a Flux broker.
 *
 * @module flux-subprocess/embedded
 */
import { hostname } from "node:os";
import { boolean, func, string } from "../../src/protocol/checks.js";
import { checkOptions, unchecked } from "../../src/protocol/options.js";
import { atExit } from "./atexit.js";
import { Broker } from "./broker.js";
import { createRunDirectory, removeRunDirectory } from "./rundir.js";
import { createShells, type EmbeddedShellOptions } from "./shells.js";

export type { CurveCertificate } from "../../src/signing/curve-certificate.js";
export type { KvMap, KvType, KvTypes, KvValue } from "../../src/signing/kv.js";
export type { EmbeddedShellOptions } from "./shells.js";

/** Options of {@link startEmbeddedBroker}. */
export interface EmbeddedBrokerOptions {
  /**
   * The number of ranks, all on this machine, 1 to 1024.
   * @default 1
   */
  size?: number;
  /**
   * The name of each rank's host, as the attribute `hostlist` has it: flux start has `--test-hosts` for this. It changes the attribute only.
   * @default the name of this machine, for each rank
   */
  hosts?: readonly string[];
  /**
   * The parent of a private directory with the sockets.
   * @default the system's temporary directory
   */
  dir?: string;
  /**
   * Receives the messages of Flux's own log: the output and the end of background processes.
   * @default messages are dropped
   */
  log?: (rank: number, message: string) => void;
  /**
   * Job shells, each with a service on every rank that requires signatures.
   * @default no shells
   */
  shells?: readonly EmbeddedShellOptions[];
  /**
   * Give every rank the service "sdexec" too, as Flux with systemd has it.
   * @default false
   */
  sdexec?: boolean;
}

/** A broker that runs. {@link startEmbeddedBroker} starts one. */
export interface EmbeddedBroker extends AsyncDisposable {
  /** The URI of rank 0. */
  readonly uri: string;
  /** The URI of each rank. */
  readonly uris: readonly string[];
  /** The subprocess service of each shell, such as "1001-shell-f6sYx2X9.rexec". */
  readonly shells: readonly string[];
  /** Kills its processes and waits until they are reaped, closes its sockets, removes its directory. */
  close(): Promise<void>;
}

const MAX_SIZE = 1024;

/**
 * Starts a broker in this process. Its processes end with it, also when this process exits without `close`, but not when SIGKILL ends this
 * process. All of them run as the user of this process, also those of a job shell with another userid: the userid serves to address the
 * shell in that user's name, and gives no rights of that user.
 *
 * @param options the size, and more
 * @throws TypeError or RangeError if an option is not valid
 *
 * @example
 * ```ts
 * const broker = await startEmbeddedBroker({ size: 2 });
 * console.log(broker.uris.length, broker.uri.startsWith("local://")); // 2 true
 * await broker.close();
 * ```
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  checkOptions("startEmbeddedBroker", options, {
    size: unchecked,
    hosts: unchecked,
    dir: string,
    log: func,
    shells: unchecked,
    sdexec: boolean,
  });
  const { size = 1, dir, log, shells: shellOptions = [], sdexec = false } = options;
  if (!Number.isInteger(size)) throw new TypeError(`size must be an integer, not ${String(size)}`);
  if (size < 1 || size > MAX_SIZE) throw new RangeError(`size must be from 1 to ${MAX_SIZE}, not ${size}`);
  const { hosts = new Array<string>(size).fill(hostname()) } = options;
  if (hosts.length !== size || !hosts.every((host) => /^[^,[\]\s]+$/.test(host))) {
    throw new TypeError(`hosts must have the name of a host for each of the ${size} ranks`);
  }
  const shells = createShells(shellOptions);

  const directory = createRunDirectory(size, dir);
  const broker = new Broker({ size, hosts, directory, log, shells, sdexec });
  const disarm = atExit(() => {
    broker.killAll();
    removeRunDirectory(directory);
  });
  const shutDown = async () => {
    await broker.close();
    disarm();
    removeRunDirectory(directory);
  };
  try {
    await broker.listen();
  } catch (error) {
    await shutDown();
    throw error;
  }
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= shutDown();
    return closed;
  };
  const uris = broker.uris;
  const services = shells.map(({ service }) => `${service}.rexec`);
  return { uri: uris[0] as string, uris, shells: services, close, [Symbol.asyncDispose]: close };
}
