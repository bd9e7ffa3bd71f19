/** A client of munged: one connection per request, since munged closes it after the response. No process is started. */
import { connect, type Socket } from "node:net";
import { FluxError, type FluxErrorCode } from "../../src/errors.js";
import { systemCode } from "../system-code.js";
import {
  type DecodeResponse,
  decodeDecodeResponse,
  decodeEncodeResponse,
  decodeRequest,
  EMUNGE,
  encodeRequest,
  HEADER_SIZE,
  MungeMessageError,
  messageSize,
} from "./munge-message.js";

/** munged's socket as distributions build it. */
const MUNGE_SOCKET = "/run/munge/munge.socket.2";

/** The connection to munged. */
export interface MungeOptions {
  /** The path of munged's socket. @default "/run/munge/munge.socket.2" */
  socket?: string | undefined;
  /** The limit for one request, in milliseconds. @default 5000 */
  timeoutMs?: number | undefined;
}

/**
 * Makes a credential over `payload` for the user that this process runs as.
 * @throws FluxError with munge's own text if munge refuses; connect(2)'s errno; ECONNRESET; ETIMEDOUT; EPROTO
 */
export async function mungeEncode(payload: Uint8Array, options: MungeOptions = {}): Promise<string> {
  const response = await exchange(encodeRequest(payload), decodeEncodeResponse, options);
  if (response.errnum !== EMUNGE.success) throw mungeError(response);
  return response.credential;
}

/**
 * Reads a credential's content. A credential that has expired or was decoded before is not an error: by RFC 39, a verifier
 * ignores that and has its own time-to-live.
 * @throws FluxError as {@link mungeEncode} does; EPERM if the credential is not genuine
 */
export async function mungeDecode(credential: string, options: MungeOptions = {}): Promise<DecodeResponse> {
  const response = await exchange(decodeRequest(credential), decodeDecodeResponse, options);
  const accepted: number[] = [EMUNGE.success, EMUNGE.expired, EMUNGE.replayed];
  if (!accepted.includes(response.errnum)) throw mungeError(response);
  return response;
}

async function exchange<T>(
  request: Uint8Array,
  decode: (message: Buffer) => T,
  { socket: path = MUNGE_SOCKET, timeoutMs = 5_000 }: MungeOptions,
): Promise<T> {
  const socket = connect(path);
  const timer = setTimeout(() => {
    socket.destroy(new FluxError("ETIMEDOUT", `munged at ${path} does not answer`));
  }, timeoutMs);
  try {
    socket.write(request);
    return decode(await receive(socket));
  } catch (cause) {
    if (cause instanceof FluxError) throw cause;
    const code = cause instanceof MungeMessageError ? "EPROTO" : systemCode(cause);
    throw new FluxError(code, `no answer from munged at ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function receive(socket: Socket): Promise<Buffer> {
  let held = Buffer.alloc(0);
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk]);
    if (held.length >= HEADER_SIZE && held.length >= messageSize(held)) return held;
  }
  throw Object.assign(new Error("it closed the connection"), { code: "ECONNRESET" });
}

/** A fault of the credential is a refusal, EPERM. Any other error is a failure of munge. */
function mungeError({ errnum, errorText }: { errnum: number; errorText: string }): FluxError {
  let code: FluxErrorCode = "EIO";
  if (errnum === EMUNGE.noMemory) code = "ENOMEM";
  else if (errnum >= EMUNGE.badCredential && errnum <= EMUNGE.unauthorized) code = "EPERM";
  return new FluxError(code, `munge: ${errorText || `error ${errnum}`}`);
}
