/** The ranks of an embedded broker: their sockets, and the way of a request to a service. */
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { errnoOf } from "../../src/errors.js";
import { NODEID_ANY, type RequestMessage } from "../wire/message.js";
import { Attributes } from "./attributes.js";
import { Connection } from "./connection.js";
import { Request } from "./request.js";
import { Rexec } from "./rexec.js";

/** What a broker is made of. */
export interface BrokerOptions {
  size: number;
  /** Where the sockets go. */
  directory: string;
  log: ((rank: number, message: string) => void) | undefined;
}

interface Service {
  serve(method: string, request: Request): boolean;
}

interface Rank {
  rank: number;
  uri: string;
  path: string;
  rexec: Rexec;
  services: ReadonlyMap<string, Service>;
}

/** One process that plays every rank of an instance. The ranks share the machine but not their process tables. */
export class Broker {
  readonly #ranks: readonly Rank[];
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();

  constructor(options: BrokerOptions) {
    this.#ranks = Array.from({ length: options.size }, (_, rank) => createRank(rank, options));
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
      this.#servers.push(server);
    }
  }

  /** Kills and reaps every process, and closes every socket. */
  async close(): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    await Promise.all(this.#ranks.map(({ rexec }) => rexec.close()));
    for (const connection of this.#connections) connection.close();
    await Promise.all(closed);
  }

  /** Kills every process and waits for nothing. */
  killAll(): void {
    for (const { rexec } of this.#ranks) rexec.killAll();
  }

  #accept(connection: Connection): void {
    this.#connections.add(connection);
    connection.open({
      request: (message) => this.#route(message, connection),
      closed: () => {
        this.#connections.delete(connection);
        for (const { rexec } of this.#ranks) rexec.disconnect(connection);
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
    const request = new Request(message, connection, target);
    const [name = "", ...method] = request.topic.split(".");
    const service = rank.services.get(name);
    if (!service) request.fail(errnoOf("ENOSYS"), `No service matching ${request.topic} is registered`);
    else if (!service.serve(method.join("."), request)) {
      request.fail(errnoOf("ENOSYS"), `Unknown service method '${request.topic}'`);
    }
  }
}

function createRank(rank: number, { size, directory, log }: BrokerOptions): Rank {
  const path = join(directory, `local-${rank}`);
  const uri = `local://${path}`;
  const rexec = new Rexec({ rank, uri, log: log && ((message) => log(rank, message)) });
  const services = new Map<string, Service>([
    ["rexec", rexec],
    ["attr", new Attributes({ rank, size, uri, directory })],
  ]);
  return { rank, uri, path, rexec, services };
}
