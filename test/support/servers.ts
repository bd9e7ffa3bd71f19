/** A broker and a proxy, each in a process of its own, so that their memory, descriptors and timers can be measured. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import type { ProxyOptions } from "../../proxy/index.js";
import type { Question } from "./child.js";
import { Observed } from "./observed.js";

const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
/** A test's own process reads TypeScript in another way, which a child does not inherit. */
const TYPESCRIPT = new URL("typescript.mjs", import.meta.url).href;
const issuer = "https://issuer.test";
const audience = "flux-subprocess";

/** A broker or a proxy in a process of its own. */
export class Server extends Observed {
  readonly #child: ChildProcess;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess) {
    super(child.pid as number);
    this.#child = child;
  }

  static start(): Server {
    // --expose-gc: after a collection, the memory in use is the memory that is held.
    return new Server(fork(CHILD, { execArgv: ["--import", TYPESCRIPT, "--expose-gc"] }));
  }

  /** Requests are answered in order. */
  request<T>(question: Question): Promise<T> {
    const answered = this.#last.then(async () => {
      this.#child.send(question);
      const [answer] = (await once(this.#child, "message")) as [{ value?: T; error?: string }];
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.value as T;
    });
    this.#last = answered.catch(() => {});
    return answered;
  }

  async close(): Promise<void> {
    await this.request({ command: "close" });
    const gone = once(this.#child, "exit");
    this.#child.disconnect();
    await gone;
  }
}

export interface Servers {
  readonly url: string;
  readonly uri: string;
  readonly token: string;
  readonly proxy: Server;
  /** Undefined if the caller's broker is used. */
  readonly broker: Server | undefined;
  close(): Promise<void>;
}

export interface ServersOptions {
  /** The URI of a running broker. @default an embedded broker */
  uri?: string | undefined;
  /** The number of an embedded broker's ranks. */
  size?: number;
  /** Options of the proxy beside the required ones. */
  proxy?: Partial<ProxyOptions>;
}

export async function startServers({ uri: given, size = 1, proxy: more }: ServersOptions): Promise<Servers> {
  const broker = given === undefined ? Server.start() : undefined;
  const uri = given ?? (await (broker as Server).request<string>({ command: "broker", size }));
  const { privateJwk, jwks } = await generateKeys();
  const token = await signToken(privateJwk, { issuer, audience, subject: "tester", ttlSeconds: 86_400 });
  const proxy = Server.start();
  const url = await proxy.request<string>({
    command: "proxy",
    options: { uri, jwks, issuer, audience, ...more },
  });
  return {
    url,
    uri,
    token,
    proxy,
    broker,
    async close() {
      await proxy.close();
      await broker?.close();
    },
  };
}
