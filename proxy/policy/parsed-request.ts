/** A request, parsed before any part of it is sent: from its fields, or from the payload that the client signed. */
import { isSubprocessService } from "../../src/protocol/checks.js";
import type { IdRange } from "../../src/protocol/idset.js";
import type { Request } from "../../src/protocol/messages.js";
import type { JsonObject } from "../broker/payload.js";
import { type Fields, flagsOf, isMethod, type Method, readFields } from "./fields.js";
import { isBeyondRpc } from "./services.js";
import { readSignedList, readSignedRequest, SignedError } from "./signed.js";

/**
 * The verb of a request. A watch is a streaming list: the proxy polls for it. A request to any other service is an rpc, or a stream if it
 * may have any number of answers. `events` is a subscription to Flux events.
 */
export type Operation = Method | "watch" | "rpc" | "stream" | "events";

/** A request as the policy judges it. */
export interface ParsedRequest extends Fields {
  readonly operation: Operation;
  readonly service: string;
  /** The service and the method. */
  readonly topic: string;
  /** The ranks that exist. */
  readonly ranks: readonly number[];
  /** The ranks that do not exist, or none where the token does not limit ranks. */
  readonly missing: readonly IdRange[];
  /** True for an exec whose process outlives the session. */
  readonly background: boolean;
  /** The RFC 42 flags of an exec; otherwise 0. */
  readonly flags: number;
  /** The userid of the client's signature; absent if the client does not sign. */
  readonly signer?: number;
  /** The beginning of the topics that `events` is about. */
  readonly prefix?: string;
}

/** True if the client signed the payload. */
export function isSigned(payload: JsonObject): boolean {
  return Object.hasOwn(payload, "signature");
}

/**
 * Parses a request.
 * @param ranks the ranks that exist
 * @param missing the ranks to judge that do not exist
 */
export function parseRequest(
  request: Request,
  ranks: readonly number[],
  missing: readonly IdRange[] = [],
): ParsedRequest {
  const { topic, streaming } = request;
  const { service, method } = splitTopic(topic);
  const operation = isEvents(request) ? "events" : operationOf(service, method, streaming);
  const background = operation === "exec" && !streaming;
  const common = { operation, topic, service, ranks, missing, background, flags: 0 };
  if (operation === "events") return { ...common, ...readPrefix(request.payload) };
  if (isAnyService(operation)) {
    const why = isBeyondRpc(topic) ? BEYOND_RPC : SUBSCRIPTIONS.has(topic) ? EVENTS_ONLY : undefined;
    return why === undefined ? common : { ...common, forbidden: why };
  }
  if (!isSigned(request.payload)) {
    if (operation === "watch") return common;
    return { ...common, flags: flagsOf(request.payload), ...readFields(operation, request.payload) };
  }
  const [verb, readSignature] =
    operation === "watch" ? (["list", readSignedList] as const) : ([operation, readSignedRequest] as const);
  try {
    const { userid, payload } = readSignature(request.payload["signature"], topic);
    const { topic: _, ...fields } = payload; // which the reader has compared
    return { ...common, signer: userid, flags: flagsOf(fields), ...readFields(verb, fields) };
  } catch (error) {
    if (!(error instanceof SignedError)) throw error;
    return { ...common, forbidden: error.message };
  }
}

/** The topics of RFC 3 event subscriptions. They change a whole connection, which the requests of a session share. */
const SUBSCRIBE = "event.subscribe";
const SUBSCRIPTIONS: ReadonlySet<string> = new Set([SUBSCRIBE, "event.unsubscribe"]);

const EVENTS_ONLY = "a subscription to events is a streaming event.subscribe";

const BEYOND_RPC = "its service runs commands, or is a user's own";

/** True if the proxy itself answers a request, by polling. */
export function isWatch({ topic, streaming }: Request): boolean {
  const { service, method } = splitTopic(topic);
  return operationOf(service, method, streaming) === "watch";
}

/** True if the proxy itself answers a request, with Flux events. */
export function isEvents({ topic, streaming }: Request): boolean {
  return topic === SUBSCRIBE && streaming;
}

/** True for a request to a service that is no subprocess server, whose payload the proxy does not read. */
export function isAnyService(operation: Operation): operation is "rpc" | "stream" {
  return operation === "rpc" || operation === "stream";
}

function readPrefix({ topic }: JsonObject): Pick<ParsedRequest, "prefix" | "forbidden"> {
  return typeof topic === "string" && !topic.includes("\0")
    ? { prefix: topic }
    : { forbidden: "its topic is not text" };
}

function splitTopic(topic: string): { service: string; method: string } {
  const dot = topic.lastIndexOf(".");
  return dot < 0
    ? { service: topic, method: "" }
    : { service: topic.slice(0, dot), method: topic.slice(dot + 1) };
}

function operationOf(service: string, method: string, streaming: boolean): Operation {
  if (!isSubprocessService(service) || !isMethod(method)) return streaming ? "stream" : "rpc";
  return method === "list" && streaming ? "watch" : method;
}
