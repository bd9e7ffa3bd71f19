/**
 * The table of a proxy's options. The checks of `createProxy`, the flags and the help of the command line, and docs/options.md come
 * from it.
 */
import type { DestinationStream } from "pino";
import type { Signer } from "../../src/signing/signer.js";
import { DEFAULT_ALGORITHMS } from "../auth/algorithms.js";
import { MECHANISMS, type SignerOptions } from "../signing/index.js";
import { boolean, duration, integer, interval, type Kind, other, string } from "./kinds.js";
import type { ProxyOptions } from "./proxy-options.js";

/** One option. */
export interface ProxyOption<T> {
  readonly kind: Kind<T>;
  /** Its meaning, without a unit. The docstring in proxy-options.ts begins with it. */
  readonly text: string;
  /** Absent: the option must be given, or its absence has a meaning of its own. */
  readonly default?: T;
  /** The default in words, where it is not a value. */
  readonly absent?: string;
  /** The flag of the command line, with the name of its value. Absent: the command line does not have the option. */
  readonly flag?: string;
  /** Added to the text where the flag's value differs from the option's. */
  readonly flagText?: string;
  /** The default in the command line, where it is another. */
  readonly flagDefault?: string;
}

/** The options whose check belongs to the code that reads them: `createVerifier`. */
const verified = <K extends keyof ProxyOptions>(expected: string) =>
  other<NonNullable<ProxyOptions[K]>>(expected);

/** The most that a grace may be, in milliseconds: 7 days. */
const MAX_GRACE_MS = 7 * 24 * 3600 * 1000;

/** Every option of a proxy, by name. */
export const OPTIONS = {
  uri: {
    kind: string,
    text: "the broker: local://PATH, or the id of a job that is a Flux instance",
    flag: "--uri <URI>",
    flagDefault: "$FLUX_URI",
  },
  host: {
    kind: string,
    text: "the address to listen on",
    default: "127.0.0.1",
    flag: "--listen <HOST:PORT>",
  },
  port: {
    kind: integer(0, 65_535),
    text: "the TCP port; 0 is any free port",
    default: 0,
    flag: "--listen <HOST:PORT>",
  },
  path: {
    kind: other<string>(
      "the path of a URL",
      (value) => typeof value === "string" && /^\/[^?#]*$/.test(value),
    ),
    text: "the path of the WebSocket's URL",
    default: "/",
  },
  jwks: {
    kind: verified<"jwks">("a JWK Set, or the path or the URL of one"),
    text: "the issuer's public keys, a JWK Set (RFC 7517); new keys in its file or at its URL are noticed",
    absent: "not needed with a secret",
    flag: "--jwks <FILE|URL>",
  },
  secret: {
    kind: verified<"secret">("32 bytes or more"),
    text: "the secret of HS256 tokens, in place of a JWK Set",
    absent: "not needed with a JWK Set",
    flag: "--secret <FILE>",
    flagText: "in a file",
  },
  issuer: {
    kind: string,
    text: "the issuer that a token must have (iss)",
    flag: "--issuer <ISS>",
  },
  audience: {
    kind: string,
    text: "the audience that a token must have (aud)",
    flag: "--audience <AUD>",
  },
  algorithms: {
    kind: verified<"algorithms">("a list of JWS algorithms"),
    text: "the algorithms of tokens (RFC 7518)",
    absent: DEFAULT_ALGORITHMS.join(", "),
  },
  users: {
    kind: verified<"users">("an object of userids"),
    text: "the userids of subjects whose tokens have no uid",
    absent: "no subject",
    flag: "--users <FILE>",
    flagText: 'a JSON file, {"SUB": UID}',
  },
  gateway: {
    kind: boolean,
    text: "speak to the broker in the name of each token's user; only the instance owner may",
    default: false,
    flag: "--gateway",
  },
  signer: {
    kind: other<SignerOptions | Signer>(
      `a signer, or its options with the mechanism ${MECHANISMS.join(", ")}`,
      isSigner,
    ),
    text: "sign the requests of the proxy's own user where a client asks for it, by this mechanism",
    absent: "no signatures",
    flag: "--sign <MECHANISM>",
  },
  helloTimeoutMs: {
    kind: interval,
    text: "the time that a client has for its hello and its proof",
    default: 10_000,
  },
  brokerTimeoutMs: {
    kind: interval,
    text: "the time that the broker has to accept a connection, and again for its first answers",
    default: 10_000,
  },
  graceMs: {
    kind: duration(MAX_GRACE_MS),
    text: "the time that a session and its processes outlive a lost connection, unless the client asks for another",
    default: 120_000,
    flag: "--grace <SECONDS>",
  },
  maxGraceMs: {
    kind: duration(MAX_GRACE_MS),
    text: "the longest grace that a client may ask for",
    default: 600_000,
    flag: "--max-grace <SECONDS>",
  },
  sessionsPerSubject: {
    kind: integer(1),
    text: "the number of sessions that a subject may have",
    default: 256,
    flag: "--sessions <N>",
  },
  longSessionsPerSubject: {
    kind: integer(0),
    text: "the number of sessions with a grace above the default that a subject may have; a further one gets the default",
    default: 16,
    flag: "--long-sessions <N>",
  },
  attaches: {
    kind: integer(1),
    text: "the number of attaches that may be open; a subject may have half of them, a session a quarter",
    default: 1024,
    flag: "--attaches <N>",
  },
  pingIntervalMs: {
    kind: interval,
    text: "the time between two looks for a client's sign of life",
    default: 5000,
  },
  probeIntervalMs: {
    kind: interval,
    text: "the time between two probes of a rank that requests wait for",
    default: 5000,
  },
  allowUnbufferedBackground: {
    kind: boolean,
    text: "allow background processes with stdout_LINE_BUFFER=false, whose output can end a broker of flux-core 0.88",
    default: false,
    flag: "--allow-unbuffered-background",
  },
  dashboard: {
    kind: boolean,
    text: "serve the dashboard to browsers, at the WebSocket's own URL",
    default: false,
    flag: "--dashboard",
  },
  audit: {
    kind: other<DestinationStream | string | false>("the path of a file, a stream or false", isAudit),
    text: "the audit, one line of JSON for each operation",
    default: false,
    flag: "--audit <FILE>",
    flagText: 'a file to append to; "-" is stderr',
    flagDefault: '"-"',
  },
  onFault: {
    kind: other<(error: unknown) => void>("a function", (value) => typeof value === "function"),
    text: "called with each fault of the proxy itself",
    default: (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)),
    absent: "a process warning",
  },
} as const satisfies { readonly [K in keyof ProxyOptions]-?: ProxyOption<NonNullable<ProxyOptions[K]>> };

/** The name of an option. */
export type OptionName = keyof typeof OPTIONS;

/** The table in its order. */
export const OPTION_ROWS = Object.entries(OPTIONS) as [OptionName, ProxyOption<unknown>][];

function isSigner(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ("sign" in value) return typeof value.sign === "function";
  return "mechanism" in value && MECHANISMS.some((mechanism) => mechanism === value.mechanism);
}

function isAudit(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  if (typeof value === "object" && value !== null)
    return "write" in value && typeof value.write === "function";
  return value === false;
}
