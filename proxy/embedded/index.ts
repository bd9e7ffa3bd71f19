/**
 * A small broker for one machine. It runs real processes and serves RFC 42 on real UNIX sockets, with the bytes that a
 * Flux broker would send: for tests and for development where Flux is not installed.
 */
import { atExit } from "./atexit.js";
import { Broker } from "./broker.js";
import { createRunDirectory, removeRunDirectory } from "./rundir.js";
import { createShells, type EmbeddedShellOptions } from "./shells.js";

export type { EmbeddedShellOptions } from "./shells.js";

/** How to start an embedded broker. */
export interface EmbeddedBrokerOptions {
  /** The number of ranks, all on this machine. 1 by default, at most 1024. */
  size?: number;
  /** The directory in which a private one is made for the sockets. The system's temporary directory by default. */
  dir?: string;
  /** Takes what Flux writes to its own log: the output and the end of background processes. Dropped by default. */
  log?: (rank: number, message: string) => void;
  /** Job shells, each with a service on every rank that requires signatures. None by default. */
  shells?: readonly EmbeddedShellOptions[];
  /** Whether every rank has the service "sdexec" too, as a Flux with systemd does. @default false */
  sdexec?: boolean;
}

/** A broker that runs. */
export interface EmbeddedBroker extends AsyncDisposable {
  /** The URI of rank 0. */
  readonly uri: string;
  /** The URI of each rank. */
  readonly uris: readonly string[];
  /** What a request to each shell names as its service, such as "1001-shell-f6sYx2X9.rexec". */
  readonly shells: readonly string[];
  /** Kills its processes and waits until they are reaped, closes its sockets, removes its directory. */
  close(): Promise<void>;
}

const MAX_SIZE = 1024;

/**
 * Starts a broker in this process. The processes that it runs end with it, also when this process exits without
 * having closed it, though not when this process is killed. All of them run as the user of this process, those of
 * a job shell too, whatever its userid: it has one to be reached in that user's name, not to become that user.
 * @throws TypeError or RangeError if an option is invalid
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { size = 1, dir, log, shells: shellOptions = [], sdexec = false } = options;
  if (!Number.isInteger(size)) throw new TypeError(`size must be an integer, not ${String(size)}`);
  if (size < 1 || size > MAX_SIZE) throw new RangeError(`size must be from 1 to ${MAX_SIZE}, not ${size}`);
  const shells = createShells(shellOptions);

  const directory = createRunDirectory(size, dir);
  const broker = new Broker({ size, directory, log, shells, sdexec });
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
