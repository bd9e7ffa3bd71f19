/** The options of `createProxy`. The table beside this file has their checks and defaults. */
import type { DestinationStream } from "pino";
import type { Signer } from "../../src/signing/signer.js";
import type { VerifierOptions } from "../auth/token.js";
import type { SignerOptions } from "../signing/index.js";

/** The options of a proxy: where it listens, its broker, the tokens that it accepts, and its limits. */
export interface ProxyOptions extends VerifierOptions {
  /**
   * The broker: local://PATH, or the id of a job that is a Flux instance. A local URI is such as FLUX_URI in a Flux instance. A
   * job id may have the prefix `jobid:`; the `flux` program resolves it when the proxy starts.
   */
  uri: string;
  /** The address to listen on. @default "127.0.0.1" */
  host?: string | undefined;
  /** The TCP port; 0 is any free port. @default 0 */
  port?: number | undefined;
  /** The path of the WebSocket's URL. @default "/" */
  path?: string | undefined;
  /** Serve the dashboard to browsers, at the WebSocket's own URL. @default false */
  dashboard?: boolean | undefined;
  /** The time that a client has for its hello and its proof, in milliseconds (PROTOCOL.md, "Opening"). @default 10000 */
  helloTimeoutMs?: number | undefined;
  /**
   * The time that the broker has to accept a connection, and again for its first answers, in milliseconds. A session whose broker
   * takes longer is closed with 4503. @default 10000
   */
  brokerTimeoutMs?: number | undefined;
  /**
   * The time that a session and its processes outlive a lost connection, unless the client asks for another; in milliseconds. 0: they
   * end with the connection. At most 604800000, which is 7 days. @default 120000
   */
  graceMs?: number | undefined;
  /**
   * The longest grace that a client may ask for, in milliseconds. At most 604800000, which is 7 days. A long grace costs memory and
   * processes that nobody follows: docs/security.md, "Absent clients". @default 600000
   */
  maxGraceMs?: number | undefined;
  /** The number of sessions that a subject may have. @default 256 */
  sessionsPerSubject?: number | undefined;
  /**
   * The number of sessions with a grace above the default that a subject may have; a further one gets the default.
   * @default 16
   */
  longSessionsPerSubject?: number | undefined;
  /**
   * The number of attaches that may be open; a subject may have half of them, a session a quarter. Each has a connection to the
   * broker: a descriptor of the proxy, and one of the broker. @default 1024
   */
  attaches?: number | undefined;
  /**
   * The time between two looks for a client's sign of life, in milliseconds. At the third look in a row without one the socket is closed
   * (PROTOCOL.md, "Liveness"). @default 5000
   */
  pingIntervalMs?: number | undefined;
  /**
   * The time between two probes of a rank that requests wait for, in milliseconds. A client hears of a rank that has not answered by the
   * next probe. @default 5000
   */
  probeIntervalMs?: number | undefined;
  /** Sign the requests of the proxy's own user where a client asks for it, by this mechanism. @default no signatures */
  signer?: SignerOptions | Signer | undefined;
  /**
   * Speak to the broker in the name of each token's user; only the instance owner may. Without it the proxy speaks as its own
   * user, and refuses tokens of other users. @default false
   */
  gateway?: boolean | undefined;
  /**
   * Allow background processes with stdout_LINE_BUFFER=false, whose output can end a broker of flux-core 0.88. The same holds for
   * `stderr_LINE_BUFFER`. Without this option the start of such a process fails with EPERM. Set it if your Flux has mended that.
   * @default false
   */
  allowUnbufferedBackground?: boolean | undefined;
  /**
   * The audit, one line of JSON for each operation: a stream, or the path of a file to append to. False: no audit. @default false
   */
  audit?: DestinationStream | string | false | undefined;
  /**
   * Called with each fault of the proxy itself, which ends one session; with keys and an audit that cannot be read or written; and each
   * time that the broker cannot be reached. @default a process warning
   */
  onFault?: ((error: unknown) => void) | undefined;
}
