/** A client whose token allows little, seen from its side. */
import { lastValueFrom } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type RunningProxy } from "../../proxy/index.js";
import { connect, exec, type Flux, kill, list } from "../../src/index.js";
import { failure, run, untilGone, utf8 } from "../support/process.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";

describe("a token for exec alone", () => {
  let broker: EmbeddedBroker;
  let proxy: RunningProxy;
  let limited: Flux;
  let full: Flux;

  beforeAll(async () => {
    broker = await startEmbeddedBroker({ size: 1 });
    const { privateJwk, jwks } = await generateKeys();
    proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience });
    const claims = { issuer, audience, subject: "tester", ttlSeconds: 600 };
    limited = connect(proxy.url, { token: signToken(privateJwk, { ...claims, scope: "exec" }) });
    full = connect(proxy.url, { token: signToken(privateJwk, claims) });
  });
  afterAll(async () => {
    limited?.close();
    full?.close();
    await proxy?.close();
    await broker?.close();
  });

  it("runs processes, and ends them by unsubscribing", async () => {
    const { stdout } = await run(limited, ["echo", "allowed"]);
    expect(utf8(stdout)).toBe("allowed\n");
    const pid = await new Promise<number>((resolve, reject) => {
      const subscription = exec(limited, ["sleep", "600"]).subscribe({
        next: (event) => {
          if (event.type !== "started") return;
          queueMicrotask(() => subscription.unsubscribe());
          resolve(event.pid);
        },
        error: reject,
      });
    });
    await untilGone(full, pid);
  });

  it("gives nothing to a process, and says so", async () => {
    expect(await failure(lastValueFrom(exec(limited, ["cat"], { stdin: "text" })))).toMatchObject({
      code: "EPERM",
      reason: "token does not allow write: scope",
    });
  });

  it("neither lists nor signals another user's process", async () => {
    expect(await failure(list(limited).get())).toMatchObject({
      code: "EPERM",
      reason: "token does not allow list: scope",
      topic: "rexec.list",
    });
    expect(await failure(kill(limited, { pid: 1 }).get())).toMatchObject({ code: "EPERM" });
  });
});
