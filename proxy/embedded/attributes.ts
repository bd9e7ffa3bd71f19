/** The attr service of one rank. Flux's tools request attributes before anything else. */
import { errnoOf } from "../../src/errors.js";
import { OWNER } from "./credential.js";
import { parsePayload } from "./json.js";
import type { Request } from "./request.js";
import { UnpackError, unpack } from "./unpack.js";

/** The values from which a rank's attributes are made. */
export interface AttributeOptions {
  rank: number;
  size: number;
  /** The name of each rank's host. */
  hosts: readonly string[];
  uri: string;
  directory: string;
}

/** attr.c ATTR_IMMUTABLE: a client may keep the value. */
const IMMUTABLE = 1;

/** Attributes that never change. */
export class Attributes {
  readonly #values: ReadonlyMap<string, string>;

  constructor({ rank, size, hosts, uri, directory }: AttributeOptions) {
    this.#values = new Map([
      ["broker.pid", String(process.pid)],
      ["hostlist", hosts.join()],
      ["hostname", hosts[rank] as string],
      ["instance-level", "0"],
      ["jobid-path", "/"],
      ["local-uri", uri],
      ["rank", String(rank)],
      ["rundir", directory],
      ["security.owner", String(OWNER)],
      ["size", String(size)],
    ]);
  }

  /** Serves a request, or returns false if there is no such method. */
  serve(method: string, request: Request): boolean {
    if (method === "get") this.#get(request);
    else if (method === "list") request.respond({ names: [...this.#values.keys()] });
    else return false;
    return true;
  }

  #get(request: Request): void {
    try {
      const { name } = unpack(parsePayload(request.payload), { name: "string" });
      const value = this.#values.get(name);
      if (value === undefined) request.fail(errnoOf("ENOENT"));
      else request.respond({ value, flags: IMMUTABLE });
    } catch (error) {
      if (!(error instanceof UnpackError)) throw error;
      request.fail(errnoOf("EPROTO"));
    }
  }
}
