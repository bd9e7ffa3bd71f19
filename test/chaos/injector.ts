/**
 * A TCP fault injector on loopback, between clients and one target. It applies each connection's faults at the exact byte. All
 * random choices come from one seed.
 *
 *     const injector = await startInjector({ target: stack.url, seed: 1 });
 *     const link = injector.next({ at: [{ kind: "reset", direction: "down", after: 1000 }] });
 *     const flux = connect(injector.url(stack.url), { token });
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { echo } from "./echo.js";
import type { Fault, Faults } from "./faults.js";
import { Link } from "./link.js";
import { Random } from "./random.js";

export interface InjectorOptions {
  /** The target of all connections: a URL with a port. */
  target: string | URL;
  seed: number;
  /** The faults of connection `number`, from 1, unless {@link Injector.next} has planned some. @default no faults */
  schedule?: (connection: number, random: Random) => Faults;
  /** Called after each fault has happened. */
  happened?: (fault: Fault, link: Link) => void;
}

export interface Injector {
  readonly port: number;
  /** @returns `base`, such as the target's URL, with the injector's address */
  url(base: string | URL): string;
  /** Plans the faults of the next connection without a plan. Resolves to the connection. */
  next(faults: Faults): Promise<Link>;
  /** The connections with an open socket, oldest first. */
  readonly connections: readonly Link[];
  /** The number of connections so far, without refused ones. */
  readonly accepted: number;
  /** Ends all connections: with FIN. */
  cutAll(): void;
  /** Ends all connections: with RST. */
  resetAll(): void;
  /**
   * True resets new connections before the first byte. To stop listening would risk the port: on loopback it may become
   * the port of a client, even of the client that connects to it.
   */
  refusing: boolean;
  /** Destroys all connections and stops listening. Resolves when every socket is closed. */
  close(): Promise<void>;
}

export async function startInjector({
  target,
  seed,
  schedule,
  happened,
}: InjectorOptions): Promise<Injector> {
  const { hostname, port: targetPort } = new URL(target);
  const address = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(targetPort) };
  if (!(address.port > 0)) throw new TypeError(`the target has no port: ${target}`);
  const random = new Random(seed);
  const planned: { faults: Faults; accepted: (link: Link) => void }[] = [];
  const links = new Set<Link>();
  let accepted = 0;
  let refusing = false;

  const accept = (client: Socket) => {
    if (refusing) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    accepted++;
    const own = random.fork();
    const plan = planned.shift();
    const faults = plan?.faults ?? schedule?.(accepted, own.fork()) ?? {};
    const link = new Link(
      { client, target: connect({ ...address, allowHalfOpen: true, noDelay: true }) },
      faults,
      own,
      happened,
    );
    if (faults.twice !== undefined) echo(client, link, connect({ ...address, noDelay: true }), faults.twice);
    links.add(link);
    void link.closed.then(() => links.delete(link));
    plan?.accepted(link);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url(base) {
      const url = new URL(base);
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    next: (faults) => new Promise((resolve) => planned.push({ faults, accepted: resolve })),
    get connections() {
      return [...links];
    },
    get accepted() {
      return accepted;
    },
    cutAll() {
      for (const link of links) link.cut();
    },
    resetAll() {
      for (const link of links) link.reset();
    },
    get refusing() {
      return refusing;
    },
    set refusing(value) {
      refusing = value;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const all = [...links];
      for (const link of all) link.destroy();
      await Promise.all([closed, ...all.map((link) => link.closed)]);
    },
  };
}
