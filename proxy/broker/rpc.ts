/** One request, one answer, as a promise. */
import { FluxError } from "../../src/errors.js";
import type { Broker } from "./broker.js";
import { encodePayload, type JsonObject } from "./payload.js";

const UINT32_MAX = 0xffffffff;

/**
 * The payload that answers `topic`, {} if the answer has none.
 * @param options.nodeid the rank to ask; absent: any
 * @throws FluxError what the broker answered, or ECONNRESET
 */
export function rpc(
  broker: Broker,
  topic: string,
  payload?: object,
  options: { nodeid?: number } = {},
): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    broker.request(
      { topic, nodeid: options.nodeid, payload: payload && encodePayload(payload) },
      {
        response: (answer) => resolve(answer ?? {}),
        error: reject,
        end: () => resolve({}),
      },
    );
  });
}

/**
 * The value of a broker attribute (RFC 13 and flux-broker-attributes(7)).
 * @throws FluxError ENOENT for an unknown one
 */
export async function attrGet(broker: Broker, name: string): Promise<string> {
  const { value } = await rpc(broker, "attr.get", { name });
  if (typeof value !== "string")
    throw new FluxError("EPROTO", `attribute ${name} has no value`, { topic: "attr.get" });
  return value;
}

/** As {@link attrGet}, of an attribute that is a number. @throws FluxError EPROTO if it is none */
export async function attrGetInteger(broker: Broker, name: string): Promise<number> {
  const value = await attrGet(broker, name);
  if (!/^\d{1,10}$/.test(value) || Number(value) > UINT32_MAX)
    throw new FluxError("EPROTO", `attribute ${name} is not an integer of 32 bits`, { topic: "attr.get" });
  return Number(value);
}
