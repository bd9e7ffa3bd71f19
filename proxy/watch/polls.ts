/**
 * What is polled, for all sessions of a proxy: each rank once for each user in whose name it is asked, since the broker may
 * answer one and refuse another. Nothing is polled, and no connection is there, when nobody watches.
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

export interface PollsOptions {
  /** Opens a connection to the broker in the name of a user. */
  connectBroker(userid: number): Promise<Broker>;
  /** The processes of each subject: a list shows which of them are over. */
  usage: Usage;
  /** Very many ranks may be due at a time: they are asked in turns. */
  scheduler: Scheduler;
}

/** Who is asked, and in whose name. */
export interface Polled {
  userid: number;
  service: string;
  rank: number;
  /** Whether it must be that rank; if not, it may be answered upstream of the broker. */
  pinned: boolean;
  /** Signs each poll; undefined if polls are not signed. */
  signer: PollSigner | undefined;
}

interface User {
  connection: PollConnection;
  pollers: Map<string, Poller>;
}

export class Polls {
  readonly #options: PollsOptions;
  readonly #users = new Map<number, User>();
  /** By service and rank, whoever asks. */
  readonly #places = new Map<string, Set<Poller>>();

  constructor(options: PollsOptions) {
    this.#options = options;
  }

  /** Tells an observer what a rank has, now and from now on. @returns ends that */
  watch(polled: Polled, observer: PollObserver): () => void {
    const { userid, service, rank, pinned, signer } = polled;
    const { connectBroker } = this.#options;
    let user = this.#users.get(userid);
    if (user === undefined) {
      user = { connection: new PollConnection(() => connectBroker(userid)), pollers: new Map() };
      this.#users.set(userid, user);
    }
    const key = [rankKey(service, rank), pinned, signer?.key].join("\0");
    let poller = user.pollers.get(key);
    if (poller === undefined) {
      poller = this.#poller(user, key, polled);
      user.pollers.set(key, poller);
    }
    return poller.add(observer);
  }

  /** A process of a rank was started through this proxy, or has ended. */
  touched(service: string, rank: number): void {
    for (const poller of this.#places.get(rankKey(service, rank)) ?? []) poller.touch();
  }

  /** The proxy stops. */
  close(): void {
    for (const { connection, pollers } of this.#users.values()) {
      for (const poller of pollers.values()) poller.close();
      connection.close();
    }
    this.#users.clear();
    this.#places.clear();
  }

  #poller(user: User, key: string, { userid, service, rank, pinned, signer }: Polled): Poller {
    const { usage, scheduler } = this.#options;
    const topic = `${service}.list`;
    const nodeid = pinned ? rank : undefined;
    const place = rankKey(service, rank);
    const poller = new Poller({
      ask: (answer) =>
        scheduler.add({
          turn: () => {
            void ask(user.connection, { topic, nodeid }, signer, answer);
            return false;
          },
        }),
      now: () => usage.tick(),
      listed: ({ rows }, asked) => {
        if (pinned) usage.listed(service, rank, [...rows.values()], asked);
      },
      idle: () => {
        // It may have been given up before, while its last answer was late.
        if (user.pollers.get(key) !== poller) return;
        poller.close();
        user.pollers.delete(key);
        this.#leave(place, poller);
        if (user.pollers.size > 0) return;
        user.connection.close();
        if (this.#users.get(userid) === user) this.#users.delete(userid);
      },
    });
    this.#places.set(place, (this.#places.get(place) ?? new Set()).add(poller));
    return poller;
  }

  #leave(place: string, poller: Poller): void {
    const pollers = this.#places.get(place);
    pollers?.delete(poller);
    if (pollers?.size === 0) this.#places.delete(place);
  }
}

/** A signature is good for a time, so that each request asks for one. */
async function ask(
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
