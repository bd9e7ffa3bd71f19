/** One request, one answer, as a promise. */
import { FluxError } from "../../src/errors.js";
import type { Broker } from "./broker.js";
import { encodePayload, type JsonObject } from "./payload.js";

const UINT32_MAX = 0xffffffff;

/** Options of one request with one answer. */
export interface RpcOptions {
  /** The rank to ask. Default: any. */
  nodeid?: number;
  /** The time for the answer, in milliseconds. @default no limit */
  timeoutMs?: number | undefined;
}

/**
 * The payload that answers `topic`, {} if the answer has none.
 * @throws FluxError the broker's error; ECONNRESET; ETIMEDOUT
 */
export function rpc(
  broker: Broker,
  topic: string,
  payload?: object,
  { nodeid, timeoutMs }: RpcOptions = {},
): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    const late = () => {
      const what = `the broker has not answered ${topic} for ${(timeoutMs as number) / 1000} s`;
      reject(new FluxError("ETIMEDOUT", what, { topic, rank: nodeid }));
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    const settle = (action: () => void) => {
      clearTimeout(timer);
      action();
    };
    broker.request(
      { topic, nodeid, payload: payload && encodePayload(payload) },
      {
        response: (answer) => settle(() => resolve(answer ?? {})),
        error: (error) => settle(() => reject(error)),
        end: () => settle(() => resolve({})),
      },
    );
  });
}

/**
 * The value of a broker attribute (RFC 13 and flux-broker-attributes(7)).
 * @throws FluxError ENOENT for an unknown one; ETIMEDOUT
 */
export async function attrGet(broker: Broker, name: string, options?: RpcOptions): Promise<string> {
  const { value } = await rpc(broker, "attr.get", { name }, options);
  if (typeof value !== "string")
    throw new FluxError("EPROTO", `attribute ${name} has no value`, { topic: "attr.get" });
  return value;
}

/** As {@link attrGet}, of an attribute that is a number. @throws FluxError EPROTO if it is not a number */
export async function attrGetInteger(broker: Broker, name: string, options?: RpcOptions): Promise<number> {
  const value = await attrGet(broker, name, options);
  if (!/^\d{1,10}$/.test(value) || Number(value) > UINT32_MAX)
    throw new FluxError("EPROTO", `attribute ${name} is not an integer of 32 bits`, { topic: "attr.get" });
  return Number(value);
}
