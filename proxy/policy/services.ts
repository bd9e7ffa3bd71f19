/**
 * Which services `rpc` reaches. A name does not say what a service does, so that a token names those that it allows. Some are
 * known to run commands by themselves, or to be programs of users that nobody knows: those it never reaches.
 */

/** What `rpc` allows if a detail has no `topics`: a guest may ask for it, it changes nothing and is no user's. */
export const DEFAULT_TOPICS: readonly string[] = ["attr.get", "attr.list"];

/**
 * Flux lets a guest register services of names that begin with `USERID-` and no others (flux-core broker.c,
 * service_allow). So job shells and guests' terminus servers are called.
 */
const USERS_OWN = /^\d+-/;

/**
 * Whether no token's `rpc` reaches a topic: a subprocess server, whose methods have rights of their own; a user's own service;
 * or one that is called a terminus server. A broker finds a service by the first word of the topic; the service itself
 * looks at the others.
 */
export function isBeyondRpc(topic: string): boolean {
  const words = topic.split(".");
  return (
    USERS_OWN.test(topic) ||
    topic.includes("terminus") ||
    words.some((word) => word === "rexec" || word === "sdexec")
  );
}
