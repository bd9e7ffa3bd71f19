/** The actions `stream` and `events`: each allows its requests, and no other action allows them. */
import type { JWTPayload } from "jose";
import { detail, type RequestTemplate, row } from "../requests.js";
import { ALL, GUEST, ME, type ProxyKind, type Refusal } from "../world.js";

const MORE = `${ALL} stream events`;

const stream = (topic: string): RequestTemplate => ({ topic, payload: {}, streaming: true });
const once = (topic: string, payload: object = {}): RequestTemplate => ({ topic, payload });
const events = (topic: unknown): RequestTemplate => ({
  topic: "event.subscribe",
  payload: { topic },
  streaming: true,
});

/** A token with one detail. @param actions those of the scope and of the detail */
const may = (actions: string, fields: object, uid = ME): JWTPayload => ({
  ...detail({ actions: actions.split(" "), ...fields }, actions),
  uid,
});

const WATCH = "job-info.eventlog-watch";

const both = (kind: ProxyKind, uid: number) => [
  row(
    `stream: a token for rpc of all the topic's service, ${kind}`,
    /^1 token does not allow stream: scope$/,
    { claims: may(ALL, { topics: ["job-info.*"] }, uid), request: stream(WATCH), kind },
    { claims: may(MORE, { topics: ["job-info.*"] }, uid), request: stream(WATCH), kind },
  ),
  row(
    `stream: a detail for rpc in a scope that may stream, ${kind}`,
    /^1 token does not allow stream: actions$/,
    { claims: { ...may(ALL, { topics: ["job-info.*"] }, uid), scope: MORE }, request: stream(WATCH), kind },
    { claims: { ...may(MORE, { topics: ["job-info.*"] }, uid), scope: MORE }, request: stream(WATCH), kind },
  ),
  row(
    `events: a token for rpc and streams of event.*, ${kind}`,
    /^1 token does not allow events: scope$/,
    { claims: may("rpc stream", { topics: ["event.*"] }, uid), request: events("job-"), kind },
    { claims: may("events", {}, uid), request: events("job-"), kind },
  ),
  ...[`${GUEST}-shell-f6sYx2X9.terminus.0`, `${GUEST}-harmless.watch`, "rexec.watch", "x.rexec.watch"].map(
    (topic) =>
      row(
        `stream: ${topic}, whatever the token says, ${kind}`,
        /^1 no token allows stream: its service runs commands, or is a user's own$/,
        { claims: may(MORE, { topics: [topic] }, uid), request: stream(topic), kind },
        { claims: may(MORE, { topics: [WATCH] }, uid), request: stream(WATCH), kind },
      ),
  ),
];

export const STREAM: Refusal[] = [
  ...both("plain", ME),
  ...both("gateway", GUEST),
  row(
    "stream: the scope alone names no topic",
    /^1 token does not allow stream: topics$/,
    { claims: { scope: MORE }, request: stream(WATCH) },
    { claims: { scope: MORE }, request: events("job-") },
  ),
  row(
    "stream: another topic than those named",
    /^1 token does not allow stream: topics$/,
    { claims: may(MORE, { topics: ["job-info.lookup"] }), request: stream(WATCH) },
    { claims: may(MORE, { topics: ["job-info.lookup", WATCH] }), request: stream(WATCH) },
  ),
  row(
    "stream alone: one answer of the same topic",
    /^1 token does not allow rpc: scope$/,
    { claims: may("stream", { topics: [WATCH] }), request: once(WATCH) },
    { claims: may("rpc", { topics: [WATCH] }), request: once(WATCH) },
  ),
  row(
    "events: a topic that begins otherwise",
    /^1 token does not allow events: prefixes$/,
    { claims: may(MORE, { prefixes: ["job-"] }), request: events("kvs.") },
    { claims: may(MORE, { prefixes: ["job-", "kvs."] }), request: events("kvs.") },
  ),
  ...["", "j", "job"].map((prefix) =>
    row(
      `events: "${prefix}", of which "job-" is a part`,
      /^1 token does not allow events: prefixes$/,
      { claims: may(MORE, { prefixes: ["job-"] }), request: events(prefix) },
      { claims: may(MORE, { prefixes: ["job-"] }), request: events("job-state") },
    ),
  ),
  row(
    "events: no prefix allowed",
    /^1 token does not allow events: prefixes$/,
    { claims: may(MORE, { prefixes: [] }), request: events("job-") },
    { claims: may(MORE, { prefixes: [""] }), request: events("job-") },
  ),
  row(
    "events: a topic that is not text",
    /^1 no token allows events: its topic is not text$/,
    { claims: may(MORE, {}), request: events(["job-"]) },
    { claims: may(MORE, {}), request: events("job-") },
  ),
  ...[
    once("event.subscribe", { topic: "" }),
    once("event.unsubscribe", { topic: "" }),
    stream("event.unsubscribe"),
  ].map((request) =>
    row(
      `events: ${request.topic} as ${request.streaming ? "stream" : "rpc"}, whatever the token says`,
      /^1 no token allows (rpc|stream): a subscription to events is a streaming event\.subscribe$/,
      { claims: may(MORE, { topics: ["event.*"] }), request },
      { claims: may(MORE, { topics: ["event.*"] }), request: once("event.publish") },
    ),
  ),
];
