/** A broker or a proxy in a process of its own, so that its memory and descriptors can be measured. servers.ts starts it. */
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type ProxyOptions } from "../../proxy/index.js";
import { type AttackName, type AttackTarget, attack } from "./attack.js";
import { startWideBroker } from "./wide-broker.js";

/** The parent's requests. Each is answered, in order. */
export type Question =
  | { command: "broker"; size: number }
  | { command: "wide-broker"; size: number }
  | { command: "attack"; name: AttackName; target: AttackTarget; ms: number }
  | { command: "proxy"; options: ProxyOptions }
  | { command: "resources" }
  | { command: "gc" }
  | { command: "close" };

let server: AsyncDisposable | undefined;

async function answer(question: Question): Promise<unknown> {
  switch (question.command) {
    case "broker": {
      const broker = await startEmbeddedBroker({ size: question.size });
      server = broker;
      return broker.uri;
    }
    case "wide-broker": {
      const broker = await startWideBroker(question.size);
      server = broker;
      return broker.uri;
    }
    case "attack":
      return attack(question.name, question.target, question.ms);
    case "proxy": {
      const proxy = await createProxy(question.options);
      server = proxy;
      return proxy.url;
    }
    case "resources":
      return process.getActiveResourcesInfo();
    case "gc":
      globalThis.gc?.();
      return undefined;
    case "close":
      await server?.[Symbol.asyncDispose]();
      return undefined;
  }
}

process.on("message", (question: Question) => {
  answer(question).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
// The child must not outlive its parent.
process.on("disconnect", () => process.exit());
