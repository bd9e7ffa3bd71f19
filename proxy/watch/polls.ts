/**
 * The polls of a proxy, for all its sessions: of each rank once for each user, since the broker may answer one user and refuse
 * another. Without a watch there is no poll and no connection.
 */
import { FluxError } from "../../src/errors.js";
import type { Broker } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";
import { rankKey } from "../broker/rank-key.js";
import type { Scheduler } from "../flow/scheduler.js";
import type { Usage } from "../usage.js";
import { PollConnection } from "./poll-connection.js";
import type { PollSigner } from "./poll-signer.js";
import { type Answer, Poller, type PollObserver } from "./poller.js";

/** The parts of the proxy that polls use. */
export interface PollsOptions {
  /** Opens a connection to the broker in the name of a user. */
  connectBroker(userid: number): Promise<Broker>;
  /** The processes of each subject: a list shows which of them have ended. */
  usage: Usage;
  /** Polls in turns, since thousands of ranks may be due at a time. */
  scheduler: Scheduler;
}

/** A rank to be polled, and the user of the polls. */
export interface Polled {
  userid: number;
  service: string;
  rank: number;
  /** True if that rank must answer; if not, a broker upstream may. */
  answererCertain: boolean;
  /** Signs each poll; undefined if polls are not signed. */
  signer: PollSigner | undefined;
}

interface User {
  connection: PollConnection;
  pollers: Map<string, Poller>;
}

/** The pollers of all ranks that are watched. */
export class Polls {
  readonly #options: PollsOptions;
  readonly #users = new Map<number, User>();
  /** By rank key, of all users. */
  readonly #byRank = new Map<string, Set<Poller>>();

  constructor(options: PollsOptions) {
    this.#options = options;
  }

  /** Sends an observer the snapshots of a rank. @returns ends that */
  watch(polled: Polled, observer: PollObserver): () => void {
    const { userid, service, rank, answererCertain, signer } = polled;
    const { connectBroker } = this.#options;
    let user = this.#users.get(userid);
    if (user === undefined) {
      user = { connection: new PollConnection(() => connectBroker(userid)), pollers: new Map() };
      this.#users.set(userid, user);
    }
    const key = [rankKey(service, rank), answererCertain, signer?.key].join("\0");
    let poller = user.pollers.get(key);
    if (poller === undefined) {
      poller = this.#poller(user, key, polled);
      user.pollers.set(key, poller);
    }
    return poller.add(observer);
  }

  /** A process of a rank was started through this proxy, or has ended. */
  touched(service: string, rank: number): void {
    for (const poller of this.#byRank.get(rankKey(service, rank)) ?? []) poller.touch();
  }

  /** The proxy stops. */
  close(): void {
    for (const { connection, pollers } of this.#users.values()) {
      for (const poller of pollers.values()) poller.close();
      connection.close();
    }
    this.#users.clear();
    this.#byRank.clear();
  }

  #poller(user: User, key: string, { userid, service, rank, answererCertain, signer }: Polled): Poller {
    const { usage, scheduler } = this.#options;
    const topic = `${service}.list`;
    const nodeid = answererCertain ? rank : undefined;
    const poller = new Poller({
      request: (answer) =>
        scheduler.add({
          turn: () => {
            void sendPoll(user.connection, { topic, nodeid }, signer, answer);
            return false;
          },
        }),
      tick: () => usage.tick(),
      listed: ({ rows }, requestedAt) => {
        if (answererCertain) usage.listed(service, rank, [...rows.values()], requestedAt);
      },
      idle: () => {
        // It may have been removed before, while its last answer was late.
        if (user.pollers.get(key) !== poller) return;
        poller.close();
        user.pollers.delete(key);
        this.#leave(rankKey(service, rank), poller);
        if (user.pollers.size > 0) return;
        user.connection.close();
        if (this.#users.get(userid) === user) this.#users.delete(userid);
      },
    });
    const of = rankKey(service, rank);
    this.#byRank.set(of, (this.#byRank.get(of) ?? new Set()).add(poller));
    return poller;
  }

  #leave(rank: string, poller: Poller): void {
    const pollers = this.#byRank.get(rank);
    pollers?.delete(poller);
    if (pollers?.size === 0) this.#byRank.delete(rank);
  }
}

/** Each request takes a new signature, since a signature is valid for a limited time. */
async function sendPoll(
  connection: PollConnection,
  request: { topic: string; nodeid: number | undefined },
  signer: PollSigner | undefined,
  answer: Answer,
): Promise<void> {
  let payload: object = {};
  try {
    if (signer !== undefined) payload = await signer.sign(request.topic);
  } catch (error) {
    if (!(error instanceof FluxError)) throw error;
    answer.error(error);
    return;
  }
  await connection.request({ ...request, payload: encodePayload(payload) }, answer);
}
