/** Every call refuses an option that it does not have, and a value of a wrong type, in words and before anything is sent. */
import { describe, expect, it } from "vitest";
import { startEmbeddedBroker } from "../../../../proxy/embedded/index.js";
import {
  attach,
  commandCreate,
  connect,
  curveSigner,
  exec,
  type Flux,
  kill,
  list,
  rexecBg,
  spawn,
  wait,
  watch,
  write,
} from "../../../../src/index.js";
import { openFlux, settled } from "../../../support/peer.js";

// biome-ignore lint/suspicious/noExplicitAny: as JavaScript calls it
type Any = any;

const calls: Record<string, (flux: Flux, options: Any) => unknown> = {
  exec: (flux, options) => exec(flux, ["a"], options),
  spawn: (flux, options) => spawn(flux, ["a"], options),
  rexecBg: (flux, options) => rexecBg(flux, ["a"], options),
  commandCreate: (_, options) => commandCreate(["a"], options),
  attach: (flux, options) => attach(flux, { pid: 1, ...options }),
  kill: (flux, options) => kill(flux, { pid: 1, ...options }),
  wait: (flux, options) => wait(flux, { pid: 1, ...options }),
  list: (flux, options) => list(flux, options),
  watch: (flux, options) => watch(flux, options),
  write: (flux, options) => write(flux, { matchtag: 1 }, "x", options),
  rpc: (flux, options) => flux.rpc("a.b", {}, options),
  connect: (_, options) => connect("ws://host", { token: "t", ...options }),
};

const rows = (table: readonly (readonly [verb: string, options: object, message: string])[]) =>
  table.map(([verb, options, message]) => ({ verb, options, message, title: JSON.stringify(options) }));

async function refusal(verb: string, options: object): Promise<unknown> {
  const { flux, proxy } = await openFlux();
  let error: unknown;
  try {
    calls[verb]?.(flux, options);
  } catch (thrown) {
    error = thrown;
  }
  await settled();
  expect(proxy.requests).toEqual([]);
  return error;
}

describe("an unknown option", () => {
  it.each(Object.keys(calls))("of %s is a TypeError that names both", async (verb) => {
    const error = await refusal(verb, { color: undefined });
    expect(error).toEqual(new TypeError(`unknown option "color" of ${verb}`));
  });

  it.each(
    rows([
      ["exec", { timeOuts: 200 }, 'unknown option "timeOuts" of exec; did you mean "timeout"?'],
      ["exec", { stdIn: "x" }, 'unknown option "stdIn" of exec; did you mean "stdin"?'],
      ["spawn", { stdin: "x" }, 'unknown option "stdin" of spawn'],
      ["list", { timeout: 9 }, 'unknown option "timeout" of list; did you mean "answerTimeout"?'],
      ["kill", { sigNum: 9 }, 'unknown option "sigNum" of kill; did you mean "signum"?'],
      ["rexecBg", { channels: [] }, 'unknown option "channels" of rexecBg'],
      ["connect", { tokens: "t" }, 'unknown option "tokens" of connect; did you mean "token"?'],
      ["connect", { retry: { max: 3 } }, 'unknown option "max" of retry'],
    ]),
  )("of $verb: $title", async ({ verb, options, message }) => {
    expect(await refusal(verb, options)).toEqual(new TypeError(message));
  });

  it("of a signer or a broker rejects", async () => {
    await expect(curveSigner({ keys: 1 } as Any)).rejects.toEqual(
      new TypeError('unknown option "keys" of curveSigner; did you mean "key"?'),
    );
    await expect(startEmbeddedBroker({ sizes: 2 } as Any)).rejects.toEqual(
      new TypeError('unknown option "sizes" of startEmbeddedBroker; did you mean "size"?'),
    );
  });
});

describe("a wrong type", () => {
  const rank = "nodeid is not an integer of 0 to 4294967294";
  const ranks = "nodeid is not a rank, an array of ranks or a string";
  const input = "stdin is text, bytes, an Observable, an async iterable or a ReadableStream";
  it.each(
    rows([
      ["exec", { nodeid: {} }, ranks],
      ["exec", { nodeid: null }, ranks],
      ["attach", { nodeid: {} }, ranks],
      ["watch", { nodeid: {} }, ranks],
      ["spawn", { nodeid: {} }, ranks],
      ["kill", { nodeid: {} }, ranks],
      ["rpc", { nodeid: {} }, rank],
      ["exec", { stdin: 3 }, input],
      ["exec", { stdin: null }, input],
      ["exec", { env: [] }, "env is not an object"],
      ["exec", { env: null }, "env is not an object"],
      ["exec", { env: { A: 1 } }, "env.A is not a string"],
      ["exec", { opts: "x" }, "opts is not an object"],
      ["exec", { channels: "DATA" }, "channels is not an array"],
      ["exec", { cwd: 3 }, "cwd is not a string"],
      ["exec", { label: ["a"] }, "label is not a string"],
      ["exec", { stdout: "no" }, "stdout is not a boolean"],
      ["exec", { sign: "yes" }, "sign is not a boolean"],
      ["exec", { signal: "SIGTERM" }, "signal is not an AbortSignal"],
      ["kill", { signal: "SIGTERM" }, 'signal is not an AbortSignal; the signal to send is "signum"'],
      ["exec", { killGrace: "1s" }, "killGrace is not an integer of 0 to 2147483647"],
      ["exec", { timeout: 0 }, "timeout is not an integer of 1 to 2147483647"],
      ["rexecBg", { waitable: 1 }, "waitable is not a boolean"],
      ["write", { eof: "x" }, "eof is not a boolean"],
      ["connect", { retry: 3 }, "the options of retry are not an object"],
      ["connect", { retry: null }, "the options of retry are not an object"],
      ["connect", { retry: { count: "3" } }, "count is not an integer of 0 to 9007199254740991"],
      ["connect", { retry: { delay: 100 } }, "delay is not a function"],
      ["connect", { prove: {} }, "prove is not a function"],
      ["connect", { token: 3 }, "token must be a non-empty string, a promise or a function"],
    ]),
  )("of $verb: $title", async ({ verb, options, message }) => {
    expect(await refusal(verb, options)).toEqual(new TypeError(message));
  });

  it("of the options themselves", async () => {
    const { flux } = await openFlux();
    const wrong = 1234 as Any;
    expect(() => kill(flux, wrong)).toThrow(new TypeError("the options of kill are not an object"));
    expect(() => exec(flux, ["ls"], ["-l"] as Any)).toThrow("the options of exec are not an object");
    expect(() => flux.rpc("a.b", [1])).toThrow(new TypeError("payload is not an object"));
  });

  it("of a command: text in the place of words", async () => {
    const { flux } = await openFlux();
    for (const verb of [exec, spawn, rexecBg]) {
      expect(() => verb(flux, "ls -l" as Any)).toThrow(
        new TypeError('command is an array of words, such as ["ls", "-l"], not "ls -l"'),
      );
    }
  });
});
