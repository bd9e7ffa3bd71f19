/** The cost of watchers for a broker: the requests that it gets while nothing happens there. */
import type { Subscription } from "rxjs";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy } from "../../proxy/index.js";
import { connect, type Flux, watch } from "../../src/index.js";
import { Relay } from "../security/relay.js";

export interface CostOptions {
  ranks: number;
  watchers: number;
  /** The number of sessions that they share. */
  sessions: number;
  /** The interval of each, in milliseconds. */
  interval: number;
  /** The time for which requests are counted, in milliseconds. */
  ms: number;
}

export interface Cost {
  /** For how long it was counted, in milliseconds. */
  lasted: number;
  /** Requests for lists in that time. */
  requests: number;
  /** Those of other kinds, in that time. */
  others: number;
  /** Connections for all of it: one for each session, one that the proxy tries first, and those for polls. */
  connections: number;
  /** Of each rank. */
  byRank: number[];
  /** Requests after all had left. */
  after: number;
}

const issuer = "https://issuer.test";
const audience = "flux-subprocess";

export async function cost({ ranks, watchers, sessions, interval, ms }: CostOptions): Promise<Cost> {
  await using broker = await startEmbeddedBroker({ size: ranks });
  const relay = await Relay.start(broker.uri);
  const { privateJwk, jwks } = await generateKeys();
  const proxy = await createProxy({ uri: relay.uri, jwks, issuer, audience });
  const token = await signToken(privateJwk, { issuer, audience, subject: "tester", ttlSeconds: 3600 });
  const handles = Array.from({ length: sessions }, () => connect(proxy.url, { token }));
  try {
    const watching = await begin(handles, watchers, interval);
    // All have what there is; what is seen first is asked for more often, and that is to be over.
    await pass(4 * interval);
    const before = relay.sent.length;
    const begun = performance.now();
    await pass(ms);
    const sent = relay.sent.slice(before);
    const lasted = performance.now() - begun;
    const lists = sent.filter(({ topic }) => topic === "rexec.list");
    for (const subscription of watching) subscription.unsubscribe();
    // Answered after all earlier requests, and so when no watch is left.
    await Promise.all(handles.map((flux) => flux.rpc("attr.get", { name: "size" }).get()));
    const left = relay.sent.length;
    await pass(3 * interval);
    return {
      lasted,
      requests: lists.length,
      others: sent.length - lists.length,
      connections: relay.connections,
      byRank: Array.from(
        { length: ranks },
        (_, rank) => lists.filter(({ nodeid }) => nodeid === rank).length,
      ),
      after: relay.sent.length - left,
    };
  } finally {
    for (const flux of handles) flux.close();
    await proxy.close();
    await relay.close();
  }
}

/** So many begin at a time: a hundred thousand first messages at once would be all that this process does for a while. */
const BATCH = 20;

/** Resolves when each has had its first table. */
async function begin(handles: readonly Flux[], watchers: number, interval: number): Promise<Subscription[]> {
  const subscriptions: Subscription[] = [];
  while (subscriptions.length < watchers) {
    const count = Math.min(BATCH, watchers - subscriptions.length);
    const first = Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve, reject) => {
          const flux = handles[subscriptions.length % handles.length] as Flux;
          subscriptions.push(watch(flux, { interval }).subscribe({ next: () => resolve(), error: reject }));
        }),
    );
    await Promise.all(first);
  }
  return subscriptions;
}

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
