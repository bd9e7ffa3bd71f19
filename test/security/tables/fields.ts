/** Every field of RFC 42's requests as an attacker has it, each sent as it is and signed by the client. */
import {
  attach,
  detail,
  exec,
  kill,
  list,
  type RequestTemplate,
  runTrial,
  signed,
  wait,
} from "../requests.js";
import type { Refusal } from "../world.js";

const both = (
  name: string,
  why: string,
  fields: object,
  bad: RequestTemplate,
  good: RequestTemplate,
): Refusal[] =>
  [false, true].map((sign) => {
    const claims = detail(fields);
    const reason = new RegExp(`^1 (token does not allow|no token allows) \\w+: ${why}$`);
    return {
      name: `field: ${name}${sign ? ", signed" : ""}`,
      reason,
      bad: async (world) => runTrial(world, { claims, request: sign ? await signed(world, bad) : bad }),
      good: async (world) => runTrial(world, { claims, request: sign ? await signed(world, good) : good }),
    };
  });

/** A token for one command. */
const LIMIT = { commands: [["true"]] };
const cmd = (name: string, why: string, bad: object, good: object = {}, more: object = {}) =>
  both(name, why, { ...LIMIT, ...more }, exec({ ...bad }), exec({ ...good }));

/** An exec with further fields beside its command. */
const withFields = (fields: object): RequestTemplate => {
  const request = exec();
  return { ...request, payload: { ...request.payload, ...fields } };
};
const beside = (name: string, why: string, bad: object, good: object = {}) =>
  both(name, why, LIMIT, withFields(bad), withFields(good));

const msgchan = [{ name: "LD_PRELOAD", uri: "ssh://elsewhere/run/flux/local" }];

export const FIELDS: Refusal[] = [
  ...["LD_PRELOAD", "BASH_ENV", "PATH"].flatMap((name) =>
    cmd(`a channel named ${name}`, "channels", { channels: [name] }, { channels: [] }),
  ),
  ...cmd(
    "a channel beside a permitted one",
    "channels",
    { channels: ["FEED", "X"] },
    { channels: ["FEED"] },
    {
      env: ["FEED"],
    },
  ),
  ...cmd(
    "a channel whose name sets another variable",
    "channels",
    { channels: ["LD_PRELOAD=x:FEED"] },
    { channels: ["A_FEED"] },
    { env: ["*FEED"] },
  ),
  ...both(
    "a channel, under a limit on the environment alone",
    "channels",
    { env: ["LC_*"] },
    exec({ channels: ["PATH"] }),
    exec({ channels: ["LC_X"] }),
  ),
  ...cmd("a message channel", "cmd has message channels", { msgchan }, { msgchan: [] }),
  ...cmd("a message channel, as RFC 42 spells it", "cmd has message channels", { msgchans: msgchan }),
  ...both(
    "a message channel, under a limit on labels alone",
    "cmd has message channels",
    { labels: ["l-*"] },
    exec({ label: "l-1", msgchan }),
    exec({ label: "l-2" }),
  ),
  ...cmd("a field of cmd that RFC 42 does not have", 'cmd has the field "uid"', { uid: 0 }),
  ...cmd("an option that sets a unit's property", "opts", { opts: { SDEXEC_PROP_RootDirectory: "/x" } }),
  ...cmd(
    "an option of the server's memory",
    "opts",
    { opts: { stdin_BUFSIZE: "2G" } },
    { opts: { stdout_LINE_BUFFER: "false", stderr_LINE_BUFFER: "false" } },
  ),
  ...cmd(
    "an option that another is no permission for",
    "opts",
    { opts: { SDEXEC_NAME: "n", SDEXEC_PROP_Slice: "s" } },
    { opts: { SDEXEC_NAME: "n", stdout_LINE_BUFFER: "true" } },
    { opts: ["SDEXEC_NAME"] },
  ),
  ...cmd("a working directory", "cwd", { cwd: "/tmp" }),
  ...cmd("another working directory", "cwd", { cwd: "/" }, { cwd: "/tmp/" }, { cwd: ["/tmp*"] }),
  ...cmd(
    "a working directory above",
    "cwd",
    { cwd: "/tmp/../root" },
    { cwd: "/tmp/..x" },
    { cwd: ["/tmp/*"] },
  ),
  ...cmd("a relative working directory", "cwd", { cwd: "tmp" }, { cwd: "/tmp" }, { cwd: ["*"] }),
  ...cmd(
    "a working directory that C would cut off",
    "cwd is not text",
    { cwd: "/etc\0/tmp" },
    { cwd: "/tmp" },
    {
      cwd: ["*/tmp"],
    },
  ),
  ...beside(
    "a bit of flags that RFC 42 does not have",
    "flags has a bit beyond 31",
    { flags: 32 },
    { flags: 3 },
  ),
  ...beside("flags of more than 32 bits", "flags is not an integer", { flags: 2 ** 32 + 3 }, { flags: 11 }),
  ...beside(
    "the broker's own stdin and stdout",
    "local_flags has a bit beyond 0",
    { local_flags: 1 },
    {
      local_flags: 0,
    },
  ),
  ...beside("the broker's own process group", "local_flags has a bit beyond 0", { local_flags: 2 }),
  ...beside("another way to find the program", "local_flags has a bit beyond 0", { local_flags: 4 }),
  ...beside("a field that RFC 42 does not have", 'the request has the field "sudo"', { sudo: true }),
  ...both(
    "of a kill",
    'the request has the field "all"',
    { ranks: "0" },
    kill({ pid: 1, all: true }),
    kill(),
  ),
  ...both("of an attach", "flags has a bit beyond 7", { ranks: "0" }, attach({ pid: 1, flags: 8 }), attach()),
  ...both("of a wait", 'the request has the field "x"', { ranks: "0" }, wait({ pid: 1, x: 1 }), wait()),
  ...both("of a list", 'the request has the field "x"', { ranks: "0" }, { ...list, payload: { x: 1 } }, list),
  ...[0, -1, 2 ** 31, 2 ** 32 + 1].flatMap((pid) =>
    [kill, attach, wait].flatMap((verb) => {
      const { topic } = verb({ pid });
      const why = "pid is not an integer of 1 to 2147483647";
      // Of a token without a limit, too.
      return both(`pid ${pid} of ${topic}`, why, {}, verb({ pid }), verb({ pid: 2 ** 31 - 1 }));
    }),
  ),
];
