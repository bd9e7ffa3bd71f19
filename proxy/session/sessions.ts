/** The sessions of a proxy: new and resumed ones, and the limit for each subject. PROTOCOL.md, "Resuming". */
import { randomUUID } from "node:crypto";
import { CLOSE, ProtocolError } from "../../src/protocol/protocol-error.js";
import type { Audit } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { HostNames } from "../hosts/host-names.js";
import type { Allowances } from "./allowances.js";
import { readBrokerInfo, readHostlist } from "./broker-info.js";
import { BrokerPool } from "./broker-pool.js";
import { ResumeIds } from "./resume-ids.js";
import { Session, type SessionConnection, type SharedResources } from "./session.js";
import { differenceOf } from "./token-lease.js";

/** The parts that all sessions share, and their limits. */
export interface SessionsOptions extends SharedResources {
  /** Opens a connection to the broker in the name of a user. */
  connectBroker(userid: number): Promise<Broker>;
  allowances: Allowances;
  audit?: Audit | undefined;
  /** The time for which a session outlives a lost socket, in milliseconds, if its client does not ask for another. */
  graceMs: number;
  /** The most that a client may ask for, in milliseconds. */
  maxGraceMs: number;
  /** The time for the first answers of a broker that has accepted a connection, in milliseconds. @default no limit */
  brokerTimeoutMs?: number;
  /** The most sessions of a subject. */
  sessionsPerSubject: number;
  /** The most sessions of a subject with a grace above `graceMs`. */
  longSessionsPerSubject: number;
}

/** Opens, finds and counts sessions. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #resumeIds = new ResumeIds<Session>();
  /** By subject, oldest first. */
  readonly #bySubject = new Map<string, Set<Session>>();
  /** By subject, the number of sessions that are being opened. */
  readonly #opening = new Map<string, number>();
  /** Those of the last session. Decoded once, since nearly always all sessions have the same instance. */
  #hosts = new HostNames(undefined, 0);

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** The number of sessions. */
  get size(): number {
    let size = 0;
    for (const sessions of this.#bySubject.values()) size += sessions.size;
    return size;
  }

  /**
   * Opens a session.
   * @param wanted its connection; undefined once that has closed
   * @throws ProtocolError 4423 if the subject has the most sessions that it may have
   * @throws FluxError if the broker cannot be reached, or is silent
   */
  async open(
    identity: Identity,
    grace: number | undefined,
    peer: string | undefined,
    wanted: () => SessionConnection | undefined,
  ): Promise<void> {
    const { connectBroker, allowances, audit, brokerTimeoutMs } = this.#options;
    const { sub, userid } = identity;
    this.#makeRoom(sub);
    this.#count(sub, 1);
    const pool = new BrokerPool();
    try {
      const broker = await pool.open(
        () => connectBroker(userid),
        () => wanted() !== undefined,
      );
      const answers =
        broker &&
        (await Promise.all([readBrokerInfo(broker, brokerTimeoutMs), readHostlist(broker, brokerTimeoutMs)]));
      const connection = wanted();
      if (!broker || !answers || !connection) return pool.close();
      const [brokerInfo, hostlist] = answers;
      const id = randomUUID();
      const allowance = allowances.open(sub);
      const session: Session = new Session({
        ...this.#options,
        id,
        identity,
        grace: this.#grantGrace(sub, grace),
        broker,
        pool,
        brokerInfo,
        hosts: this.#hostNames(hostlist, brokerInfo.size),
        allowance,
        audit: audit?.session(id, peer),
        connectBroker: () => connectBroker(userid),
        rotate: (used) => this.#resumeIds.rotate(session, used),
        confirmed: () => this.#resumeIds.confirm(session),
        ended: () => {
          this.#remove(sub, session);
          allowances.close(sub, allowance);
        },
      });
      this.#add(sub, session);
      session.attach(connection, 0);
    } catch (error) {
      pool.close();
      throw error;
    } finally {
      this.#count(sub, -1);
    }
  }

  /** The session that `id` resumes, if it is of this subject, user and key. */
  resume(identity: Identity, id: string): Session | undefined {
    const session = this.#resumeIds.find(id);
    return session && differenceOf(session.identity, identity) === undefined ? session : undefined;
  }

  /** The proxy stops. */
  shutdown(): void {
    for (const sessions of this.#bySubject.values())
      for (const session of sessions) session.end(CLOSE.goingAway, "the proxy stops");
  }

  #hostNames(hostlist: string | undefined, size: number): HostNames {
    const last = this.#hosts;
    if (last.hostlist !== hostlist || last.size !== size) this.#hosts = new HostNames(hostlist, size);
    return this.#hosts;
  }

  /** @throws ProtocolError 4423 */
  #makeRoom(sub: string): void {
    const sessions = this.#bySubject.get(sub) ?? new Set();
    const opening = this.#opening.get(sub) ?? 0;
    for (const session of sessions) {
      if (sessions.size + opening < this.#options.sessionsPerSubject) return;
      if (session.abandoned) session.end(CLOSE.tooManySessions, "it made room for another");
    }
    if (sessions.size + opening < this.#options.sessionsPerSubject) return;
    throw new ProtocolError(
      CLOSE.tooManySessions,
      `${sub} has ${sessions.size} sessions, and may have no more`,
    );
  }

  /**
   * The grace of a new session. A session that has got a long grace keeps it: the welcome has promised it. So a subject's absent
   * sessions fill the limit of its sessions for the default grace at most.
   */
  #grantGrace(sub: string, wanted: number | undefined): number {
    const { graceMs, maxGraceMs, longSessionsPerSubject } = this.#options;
    const grace = Math.min(wanted ?? graceMs, maxGraceMs);
    if (grace <= graceMs) return grace;
    const long = [...(this.#bySubject.get(sub) ?? [])].filter((session) => session.grace > graceMs);
    if (long.length < longSessionsPerSubject) return grace;
    const abandoned = longSessionsPerSubject > 0 && long.find((session) => session.abandoned);
    if (!abandoned) return graceMs;
    abandoned.end(CLOSE.tooManySessions, "it made room for another");
    return grace;
  }

  #count(sub: string, by: number): void {
    const count = (this.#opening.get(sub) ?? 0) + by;
    if (count === 0) this.#opening.delete(sub);
    else this.#opening.set(sub, count);
  }

  #add(sub: string, session: Session): void {
    const sessions = this.#bySubject.get(sub) ?? new Set();
    this.#bySubject.set(sub, sessions.add(session));
  }

  #remove(sub: string, session: Session): void {
    this.#resumeIds.delete(session);
    const sessions = this.#bySubject.get(sub);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#bySubject.delete(sub);
  }
}
