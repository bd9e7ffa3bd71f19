/** The options of a proxy, and what is wrong with those that are wrong. */
import type { DestinationStream } from "pino";
import type { Signer } from "../src/signing/signer.js";
import type { VerifierOptions } from "./auth/token.js";
import { parseBrokerUri } from "./broker/uri.js";
import type { SignerOptions } from "./signing/index.js";

/** Options of {@link createProxy}. */
export interface ProxyOptions extends VerifierOptions {
  /**
   * The broker's URI: `local://PATH`, such as FLUX_URI in a Flux instance. Or `jobid:ID` or a job id, of an instance
   * that runs as a job; the `flux` program resolves it when the proxy starts.
   */
  uri: string;
  /** The address to listen on. Default "127.0.0.1". */
  host?: string | undefined;
  /** The TCP port to listen on; 0, the default, takes a free one. */
  port?: number | undefined;
  /** The path of the WebSocket's URL. Default "/". */
  path?: string | undefined;
  /** Serve the dashboard to browsers, on the WebSocket's own URL. Default false. */
  dashboard?: boolean | undefined;
  /** How long a client may take for its hello, in milliseconds. Default 10,000, as PROTOCOL.md says. */
  helloTimeoutMs?: number | undefined;
  /**
   * How long the broker may take to accept a connection, and then for its first answers, in milliseconds. A session that
   * it keeps waiting for longer is closed with 4503. Default 10,000.
   */
  brokerTimeoutMs?: number | undefined;
  /**
   * For how long a session and its processes outlive a lost connection, in milliseconds, if its client does not say.
   * Default 120,000; 0: not at all.
   */
  graceMs?: number | undefined;
  /** What a client may ask for at most, in milliseconds. Default 600,000. */
  maxGraceMs?: number | undefined;
  /** How many sessions a subject may have. Default 256. */
  sessionsPerSubject?: number | undefined;
  /**
   * How many attaches may be open, each of which has a connection to the broker: a descriptor of the proxy, and one of
   * the broker. A subject may have half of them, and a session a quarter. Default 1024.
   */
  attaches?: number | undefined;
  /** How often a client has to give a sign of life, in milliseconds; after three times it is lost. Default 5000. */
  pingIntervalMs?: number | undefined;
  /**
   * How often the broker of a rank is asked whether it answers while requests wait for it, in milliseconds. Clients hear of
   * one that has not answered by the next time. Default 5000.
   */
  probeIntervalMs?: number | undefined;
  /** How requests are signed for the proxy's own user, where a client asks for it. Default: not at all. */
  signer?: SignerOptions | Signer | undefined;
  /**
   * Speak to the broker in the name of each client's user. The proxy must run as the instance owner. Default false:
   * it speaks as its own user, and refuses tokens of every other.
   */
  gateway?: boolean | undefined;
  /**
   * Let background processes have the options `stdout_LINE_BUFFER` or `stderr_LINE_BUFFER` "false". With flux-core 0.88 much output of
   * such a process ends the broker of its rank; set it where your Flux has mended that. Default false: EPERM.
   */
  allowUnbufferedBackground?: boolean | undefined;
  /** Where the audit goes, one JSON line for each operation: a stream, a file to append to, or false, the default. */
  audit?: DestinationStream | string | false | undefined;
  /**
   * Told of faults in the proxy itself, each of which ends one session, of keys and of an audit that cannot be read or
   * written, and of each time that the broker cannot be reached. Default: a process warning.
   */
  onFault?: ((error: unknown) => void) | undefined;
}

type Optional = keyof VerifierOptions | "signer";
type Defaulted<T> = { [K in keyof T]-?: NonNullable<T[K]> };

/** Options that were checked, with every default filled in but those of the verifier and the signer. */
export type ProxyConfig = Pick<ProxyOptions, Optional> & Defaulted<Omit<ProxyOptions, Optional>>;

/** Checks what the verifier and the signer do not check themselves. @throws TypeError that names the option */
export function proxyConfig(options: ProxyOptions): ProxyConfig {
  const { uri, issuer, audience } = options;
  const {
    host = "127.0.0.1",
    port = 0,
    path = "/",
    dashboard = false,
    helloTimeoutMs = 10_000,
    brokerTimeoutMs = 10_000,
    graceMs = 120_000,
    maxGraceMs = 600_000,
    sessionsPerSubject = 256,
    attaches = 1024,
    pingIntervalMs = 5000,
    probeIntervalMs = 5000,
    gateway = false,
    allowUnbufferedBackground = false,
    audit = false,
    onFault = warn,
  } = options;
  for (const [name, value] of Object.entries({ uri, issuer, audience, host, path })) {
    if (typeof value !== "string" || value === "")
      throw new TypeError(`${name} is not a string with anything in it`);
  }
  parseBrokerUri(uri);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TypeError("port is not an integer of 0 to 65535");
  if (!/^\/[^?#]*$/.test(path)) throw new TypeError("path is not the path of a URL");
  // The range of Node's timers.
  for (const [name, value] of Object.entries({
    helloTimeoutMs,
    brokerTimeoutMs,
    pingIntervalMs,
    probeIntervalMs,
  })) {
    if (!(value > 0 && value < 2 ** 31)) throw new TypeError(`${name} is not a number of milliseconds`);
  }
  for (const [name, value] of Object.entries({ graceMs, maxGraceMs })) {
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 31)) {
      throw new TypeError(`${name} is not an integer of milliseconds`);
    }
  }
  for (const [name, value] of Object.entries({ sessionsPerSubject, attaches })) {
    if (!(Number.isInteger(value) && value > 0)) throw new TypeError(`${name} is not a positive integer`);
  }
  for (const [name, value] of Object.entries({ gateway, dashboard, allowUnbufferedBackground })) {
    if (typeof value !== "boolean") throw new TypeError(`${name} is not a boolean`);
  }
  if (audit === "") throw new TypeError("audit is an empty path");
  const times = { helloTimeoutMs, brokerTimeoutMs, graceMs, maxGraceMs, pingIntervalMs, probeIntervalMs };
  const defaulted = {
    host,
    port,
    path,
    dashboard,
    ...times,
    sessionsPerSubject,
    attaches,
    gateway,
    allowUnbufferedBackground,
    audit,
    onFault,
  };
  return { ...options, ...defaulted };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
