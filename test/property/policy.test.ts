/** Whatever a client sends, a limited token lets nothing through that it does not name. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPermissions } from "../../proxy/auth/permissions.js";
import { parseRequest } from "../../proxy/policy/parsed-request.js";
import { judge, type PolicyContext } from "../../proxy/policy/policy.js";
import type { Request } from "../../src/protocol/messages.js";

const known: PolicyContext = {
  userid: 1,
  processCount: 0,
  isForeground: () => false,
  labelOf: () => undefined,
};
const ask = (topic: string, payload: object, streaming = true): Request => ({
  ...{ type: "request", seq: 1, id: 1, nodeid: "0", topic, streaming },
  payload: payload as Record<string, unknown>,
});

const limited = readPermissions(undefined, [
  { type: "flux_subprocess", actions: ["exec"], commands: [["true"]], env: ["LC_*"], cwd: ["/tmp"] },
]);

const word = fc.constantFrom("true", "false", "LC_A", "LD_PRELOAD", "/tmp", "/", "", "\0", "__proto__", "x");
const option = fc.constantFrom("stdout_LINE_BUFFER", "SDEXEC_PROP_RootDirectory", "stdin_BUFSIZE");
const sometimes = <T>(likely: T, other: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: fc.constant<unknown>(likely), weight: 9 }, { arbitrary: other, weight: 1 });
const strange = fc.oneof(fc.anything(), fc.array(word), fc.dictionary(word, word), word, fc.integer());

const cmd = fc.record(
  {
    cmdline: sometimes(["true"], strange),
    env: sometimes({}, fc.oneof(fc.dictionary(word, word), strange)),
    opts: sometimes({}, fc.oneof(fc.dictionary(option, word), strange)),
    channels: sometimes([], fc.oneof(fc.array(word), strange)),
    cwd: sometimes("/tmp", strange),
    label: sometimes("l", strange),
    msgchan: sometimes([], strange),
    msgchans: sometimes([], strange),
    other: strange,
  },
  { requiredKeys: ["cmdline"] },
);
const payload = fc.record(
  {
    cmd: sometimes({ cmdline: ["true"] }, cmd).chain((fixed) => fc.oneof(fc.constant(fixed), cmd)),
    flags: sometimes(3, fc.oneof(fc.integer(), strange)),
    local_flags: sometimes(0, fc.oneof(fc.integer(), strange)),
    other: strange,
  },
  { requiredKeys: ["cmd", "flags"] },
);

test("an exec that passes is the one command, with nothing that would make it another", () => {
  let passed = 0;
  fc.assert(
    fc.property(payload, (fields) => {
      if (!judge(limited, parseRequest(ask("rexec.exec", fields), [0]), known).allowed) return;
      passed++;
      const { cmd: given, flags, local_flags: localFlags = 0, ...more } = fields;
      const {
        cmdline,
        env = {},
        opts = {},
        channels = [],
        cwd = "/tmp",
        label = "l",
        ...rest
      } = given as {
        [field: string]: object;
      };
      expect([cmdline, cwd, localFlags, more]).toEqual([["true"], "/tmp", 0, {}]);
      expect(flags as number).toBeGreaterThanOrEqual(0);
      expect(flags as number).toBeLessThan(32);
      for (const name of [...Object.keys(env), ...(channels as string[])])
        expect(name).toMatch(/^LC_[^=\0]*$/);
      const cut = ["stdout", "stderr", ...(channels as string[])].map((stream) => `${stream}_LINE_BUFFER`);
      for (const name of Object.keys(opts)) expect(cut).toContain(name);
      expect(label).toMatch(/^[^\0]+$/);
      for (const list of Object.values(rest)) expect(list).toEqual([]);
    }),
    { numRuns: 5000 },
  );
  expect(passed).toBeGreaterThan(100);
});

test("the scope alone allows rpc for two topics, and a topic in a detail never begins with a pattern", () => {
  const scope = readPermissions("rpc", undefined);
  const part = fc.constantFrom("attr", "get", "list", "rexec", "terminus", "1000-x", "kvs", "", "*");
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const topic = parts.join(".");
      const { allowed } = judge(scope, parseRequest(ask(topic, {}, false), [0]), known);
      expect(allowed).toBe(["attr.get", "attr.list"].includes(topic));
      const details = [{ type: "flux_subprocess", actions: ["rpc"], topics: [topic] }];
      if (!/^[^.*?]+\./.test(topic)) expect(() => readPermissions(undefined, details)).toThrow(TypeError);
      else readPermissions(undefined, details);
    }),
  );
});
