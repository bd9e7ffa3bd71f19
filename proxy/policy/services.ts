/**
 * The services that `rpc` reaches. The name of a service does not show its effect, so a token names the topics that it allows.
 * Services that run commands, or that are users' own programs, are out of reach for every token.
 */

/** The topics that `rpc` allows if a detail has no `topics`: guests may request them, they change nothing and are no user's. */
export const DEFAULT_TOPICS: readonly string[] = ["attr.get", "attr.list"];

/**
 * Flux lets a guest register only services whose names begin with `USERID-` (flux-core broker.c, service_allow). Job shells and
 * guests' terminus servers have such names.
 */
const USERS_OWN = /^\d+-/;

/**
 * True if no token's `rpc` reaches a topic: a subprocess server, whose methods have rights of their own; a user's own service; or
 * a service with the name of a terminus server. A broker finds a service by the first word of the topic; the service itself reads
 * the others.
 */
export function isBeyondRpc(topic: string): boolean {
  const words = topic.split(".");
  return (
    USERS_OWN.test(topic) ||
    topic.includes("terminus") ||
    words.some((word) => word === "rexec" || word === "sdexec")
  );
}
