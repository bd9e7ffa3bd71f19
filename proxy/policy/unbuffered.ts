/**
 * Background processes whose output is not cut into lines. flux-core 0.88 logs such output as it comes, and a chunk of it ends the
 * rank's broker with SIGSEGV, attached to or not (libsubprocess/server.c, proc_output_cb).
 */
import type { Request } from "../../src/protocol/messages.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import { isSigned, type ParsedRequest } from "./parsed-request.js";
import { readSignedRequest, SignedError } from "./signed.js";

/** The streams of a background process: it has no auxiliary channels. */
const OPTIONS = ["stdout_LINE_BUFFER", "stderr_LINE_BUFFER"];

/** The option that makes a request such a start; undefined if it is another request. */
export function unbufferedOption(request: Request, { background }: ParsedRequest): string | undefined {
  if (!background) return undefined;
  const cmd = execPayload(request)["cmd"];
  const opts = isJsonObject(cmd) ? cmd["opts"] : undefined;
  if (!isJsonObject(opts)) return undefined;
  return OPTIONS.find((name) => Object.hasOwn(opts, name) && isFalse(opts[name]));
}

/** What the server will read: of a signed request, what was signed. */
function execPayload({ topic, payload }: Request): JsonObject {
  if (!isSigned(payload)) return payload;
  try {
    return readSignedRequest(payload["signature"], topic).payload;
  } catch (error) {
    // It is refused for that.
    if (error instanceof SignedError) return {};
    throw error;
  }
}

/** libsubprocess compares with strcasecmp(3), which sees no further than a NUL. */
function isFalse(value: unknown): boolean {
  return typeof value === "string" && /^false(?:\0|$)/i.test(value);
}
