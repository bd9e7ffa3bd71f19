/** Background processes that would end the broker of flux-core 0.88. */
import { detail, exec, type RequestTemplate, row, runTrial, signed } from "../requests.js";
import type { Refusal } from "../world.js";

const reason = (stream: string) =>
  new RegExp(
    `^1 the proxy cannot start a background process with ${stream}_LINE_BUFFER "false": it can end the broker$`,
  );

const background = (opts: unknown, more: Partial<RequestTemplate> = {}): RequestTemplate => {
  const asking = exec({}, { streaming: false, ...more });
  const { cmd } = asking.payload as { cmd: object };
  return { ...asking, payload: { cmd: { ...cmd, opts }, flags: 0 } };
};

const everything = { claims: {} };
const harmless = { ...everything, request: background({ stdout_LINE_BUFFER: "true" }) };
const chunks = { stdout_LINE_BUFFER: "false" };

export const BACKGROUND: Refusal[] = [
  row(
    "unbuffered stdout in background",
    reason("stdout"),
    { ...everything, request: background(chunks) },
    harmless,
  ),
  row(
    "unbuffered stderr in background",
    reason("stderr"),
    { ...everything, request: background({ x: "y", stderr_LINE_BUFFER: "false" }) },
    { ...everything, request: background({ stderr_LINE_BUFFER: "falsehood" }) },
  ),
  row(
    "unbuffered stdout in background, as strcasecmp has it",
    reason("stdout"),
    { ...everything, request: background({ stdout_LINE_BUFFER: "FaLsE" }) },
    { ...everything, request: background({ STDOUT_LINE_BUFFER: "false" }) },
  ),
  row(
    "unbuffered stdout in background, up to a NUL",
    reason("stdout"),
    { ...everything, request: background({ stdout_LINE_BUFFER: "false\0x" }) },
    { ...everything, request: background({ stdout_LINE_BUFFER: "x\0false" }) },
  ),
  row(
    "unbuffered stdout in background, and not in the foreground",
    reason("stdout"),
    { ...everything, request: background(chunks) },
    { ...everything, request: background(chunks, { streaming: true }) },
  ),
  row(
    "unbuffered stdout in background, by a token limited to the command",
    reason("stdout"),
    { claims: detail({ commands: [["true"]] }), request: background(chunks) },
    { claims: detail({ commands: [["true"]] }), request: background({}) },
  ),
  row(
    "unbuffered stdout in background, beside what cannot be read",
    reason("stdout"),
    {
      ...everything,
      request: { ...background(chunks), payload: { cmd: { cmdline: 7, opts: chunks }, flags: 0 } },
    },
    {
      ...everything,
      request: { ...background(chunks), payload: { cmd: { cmdline: 7, opts: [] }, flags: 0 } },
    },
  ),
  row(
    "unbuffered stdout in background, signed by the proxy",
    reason("stdout"),
    { ...everything, kind: "signing", request: background(chunks, { sign: true }) },
    { ...everything, kind: "signing", request: background({}, { sign: true }) },
  ),
  row(
    "unbuffered stdout in background, on every rank",
    reason("stdout"),
    { ...everything, request: background(chunks, { nodeid: "all" }) },
    { ...everything, request: background({}, { nodeid: "all" }) },
  ),
  {
    name: "unbuffered stdout in background, signed by the client",
    reason: reason("stdout"),
    bad: async (world) => runTrial(world, { claims: {}, request: await signed(world, background(chunks)) }),
    good: async (world) =>
      runTrial(world, {
        claims: {},
        request: await signed(world, background({}), { more: background(chunks).payload }),
      }),
  },
];
