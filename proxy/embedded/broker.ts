/** The ranks of an embedded broker: their sockets, and the routing of requests to services. */
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { errnoOf } from "../../src/errors.js";
import { NODEID_ANY, type RequestMessage } from "../wire/message.js";
import { Attributes } from "./attributes.js";
import { Connection } from "./connection.js";
import { Events } from "./events.js";
import { OwnerService } from "./owner.js";
import { Request } from "./request.js";
import { SdexecService } from "./sdexec.js";
import { ShellService } from "./shell.js";
import type { Shell } from "./shells.js";

/** The parts of a broker. */
export interface BrokerOptions {
  size: number;
  /** The name of each rank's host. */
  hosts: readonly string[];
  /** The directory of the sockets. */
  directory: string;
  log: ((rank: number, message: string) => void) | undefined;
  /** The job shells of every rank. */
  shells: readonly Shell[];
  /** True gives every rank the service sdexec. */
  sdexec: boolean;
}

interface Service {
  /** The user that the service runs as. */
  readonly userid?: number;
  /** Serves a request, or returns false if there is no such method. */
  serve(method: string, request: Request): boolean;
}

interface Rank {
  rank: number;
  uri: string;
  path: string;
  /** The services that run processes. */
  servers: readonly (OwnerService | SdexecService | ShellService)[];
  services: ReadonlyMap<string, Service>;
}

/** One process that plays every rank of an instance. The ranks share the machine but not their process tables. */
export class Broker {
  readonly #ranks: readonly Rank[];
  readonly #listeners: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #events = new Events();

  constructor(options: BrokerOptions) {
    this.#ranks = Array.from({ length: options.size }, (_, rank) => createRank(rank, options, this.#events));
  }

  get uris(): string[] {
    return this.#ranks.map(({ uri }) => uri);
  }

  /** Listens on every rank's socket. */
  async listen(): Promise<void> {
    for (const { rank, path } of this.#ranks) {
      const server = createServer((socket) => this.#accept(new Connection(socket, rank)));
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(path, resolve);
      });
      this.#listeners.push(server);
    }
  }

  /** Kills and reaps every process, and closes every socket. */
  async close(): Promise<void> {
    const closed = this.#listeners.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    await Promise.all(this.#servers().map((server) => server.close()));
    for (const connection of this.#connections) connection.close();
    await Promise.all(closed);
  }

  /** Kills every process, without waiting for its end. */
  killAll(): void {
    for (const server of this.#servers()) server.killAll();
  }

  #servers() {
    return this.#ranks.flatMap(({ servers }) => servers);
  }

  #accept(connection: Connection): void {
    this.#connections.add(connection);
    connection.open({
      request: (message) => this.#route(message, connection),
      closed: () => {
        this.#connections.delete(connection);
        this.#events.disconnect(connection);
        for (const server of this.#servers()) server.disconnect(connection);
      },
    });
  }

  /** RFC 3 request routing, without the hops between brokers. */
  #route(message: RequestMessage, connection: Connection): void {
    const target = message.nodeid === NODEID_ANY ? connection.rank : message.nodeid;
    const rank = this.#ranks[target];
    if (!rank) {
      new Request(message, connection, connection.rank).fail(errnoOf("EHOSTUNREACH"));
      return;
    }
    const [name = "", ...method] = (message.topic ?? "").split(".");
    const service = rank.services.get(name);
    const request = new Request(message, connection, target, service?.userid);
    if (!service) request.fail(errnoOf("ENOSYS"), `No service matching ${request.topic} is registered`);
    else if (!service.serve(method.join("."), request)) {
      request.fail(errnoOf("ENOSYS"), `Unknown service method '${request.topic}'`);
    }
  }
}

function createRank(
  rank: number,
  { size, hosts, directory, log, shells, sdexec }: BrokerOptions,
  events: Events,
): Rank {
  const path = join(directory, `local-${rank}`);
  const uri = `local://${path}`;
  const options = { rank, uri, log: log && ((message: string) => log(rank, message)) };
  // An instance with job shells is a multi-user one: users other than the owner may connect to it.
  const owner = new OwnerService({ ...options, localOnly: rank === 0 && shells.length > 0 });
  const services = new Map<string, Service>([
    ["rexec", owner],
    ["attr", new Attributes({ rank, size, hosts, uri, directory })],
    ["event", events],
  ]);
  const jobs = shells.map((shell) => {
    const service = new ShellService(shell, options);
    services.set(shell.service, service);
    return service;
  });
  const units = sdexec ? [new SdexecService(options)] : [];
  for (const service of units) services.set("sdexec", service);
  return { rank, uri, path, servers: [owner, ...units, ...jobs], services };
}
