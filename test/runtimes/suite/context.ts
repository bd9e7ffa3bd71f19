/** The argument of each case, with helpers for processes. */
import type {
  CompletedProcess,
  ConnectOptions,
  ExecOptions,
  Flux,
  ProcessEvent,
} from "../../../src/index.js";

export type Client = typeof import("../../../src/index.js");
export type Rx = typeof import("rxjs");

/** The world of the suite, as JSON. ../world.ts makes it. */
export interface World {
  /** The proxy's URL, through the fault injector. */
  url: string;
  token: string;
  /** The URL of a proxy that cannot be reached. */
  nobody: string;
  /** The number of ranks. */
  size: number;
  /** The URL of the server that makes tokens, cuts and guests. */
  control: string;
}

export interface Context {
  readonly client: Client;
  readonly rx: Rx;
  readonly world: World;
  /** A handle that all cases share. */
  readonly flux: Flux;
  /** A handle with a session of its own. The suite closes it. */
  connect(url?: string, options?: Partial<ConnectOptions>): Flux;
  /** Sends a request to the world's server. */
  control<T>(request: string): Promise<T>;
  /** Runs a command to its end on one rank. */
  run(
    command: readonly string[],
    options?: ExecOptions<number | "any" | undefined>,
  ): Promise<CompletedProcess>;
  /** Subscribes to a process. Resolves to its pid once it has started. `stop` unsubscribes. */
  started(
    command: readonly string[],
    options?: ExecOptions,
  ): Promise<{ pid: number; matchtag: number; stop: () => void; ended: Promise<unknown> }>;
  /** Resolves when the rank no longer lists the process. */
  gone(pid: number, nodeid?: number): Promise<void>;
  close(): void;
}

export interface Case {
  name: string;
  test(context: Context): Promise<void>;
}

export function contextOf(client: Client, rx: Rx, world: World): Context {
  const handles: Flux[] = [];
  const connect: Context["connect"] = (url = world.url, options = {}) => {
    const flux = client.connect(url, { token: world.token, ...options });
    handles.push(flux);
    return flux;
  };
  const flux = connect();
  return {
    client,
    rx,
    world,
    flux,
    connect,
    async control(request) {
      const response = await fetch(`${world.control}${request}`, { method: "POST" });
      if (!response.ok) throw new Error(`${request}: ${response.status} ${await response.text()}`);
      return await response.json();
    },
    run: (command, options) => rx.firstValueFrom(client.exec(flux, command, options).pipe(client.collect())),
    started: (command, options) =>
      new Promise((resolve, reject) => {
        let settle: (value?: unknown) => void = () => {};
        const ended = new Promise((done) => {
          settle = done;
        });
        const subscription = client.exec(flux, command, options).subscribe({
          next: (event: ProcessEvent) =>
            event.type === "started" && resolve({ ...event, stop: () => subscription.unsubscribe(), ended }),
          error: (error) => {
            settle(error);
            reject(error);
          },
          complete: () => settle(),
        });
      }),
    async gone(pid, nodeid = 0) {
      for (let tries = 0; tries < 400; tries++) {
        const processes = await client.list(flux, { nodeid }).getProcesses();
        if (!processes.some((process) => process.pid === pid)) return;
        await sleep(25);
      }
      throw new Error(`process ${pid} is still there`);
    },
    close() {
      for (const handle of handles) handle.close();
    },
  };
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A command that runs a shell script. */
export const sh = (script: string) => ["sh", "-c", script];

export const utf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
