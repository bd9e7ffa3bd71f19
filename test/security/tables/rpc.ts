/** Which services `rpc` reaches. */
import { detail, type RequestTemplate, row, rpc } from "../requests.js";
import { GUEST, ME, type ProxyKind, type Refusal } from "../world.js";

const to = (topic: string): RequestTemplate => ({ topic, payload: {} });

const TOPICS = /^1 token does not allow rpc: topics$/;
const NEVER = /^1 no token allows rpc: its service runs commands, or is a user's own$/;

/** Topics that run commands on an owner's broker, or change later commands. A token must name them. */
const POWERFUL = [
  "broker.setenv",
  "config.load",
  "content.store",
  "cron.create",
  "event.publish",
  "job-ingest.submit",
  "job-manager.jobtap",
  "kvs.commit",
  "module.load",
  "resource.drain",
  "runat.push",
  "sdbus.call",
  "service.add",
  "shutdown.start",
];

const SESSIONS = ["new", "list", "kill", "kill-server", "0"];

/** Services of terminus, of a guest's own and the owner's: a name may be any after USERID-. */
const TERMINUS = [
  ...SESSIONS.map((method) => `${GUEST}-shell-f6sYx2X9.terminus.${method}`),
  ...SESSIONS.map((method) => `${GUEST}-terminus.${method}`),
  `${GUEST}-terminus.0.1`,
  `${GUEST}-harmless.new`,
  `${GUEST}-harmless.0`,
  `${GUEST}-shell-f6sYx2X9.stdin`,
  "my-terminus.new",
];

const pairs = (kind: ProxyKind, uid: number) => [
  ...POWERFUL.map((topic) =>
    row(
      `rpc: ${topic} by the scope alone, ${kind}`,
      TOPICS,
      { claims: { uid }, request: to(topic), kind },
      { claims: { uid }, request: rpc, kind },
    ),
  ),
  ...TERMINUS.map((topic) =>
    row(
      `rpc: ${topic}, whatever the token says, ${kind}`,
      NEVER,
      { claims: { ...detail({ topics: [topic] }), uid }, request: to(topic), kind },
      { claims: { ...detail({ topics: ["job-list.*"] }), uid }, request: to("job-list.list"), kind },
    ),
  ),
];

export const RPC: Refusal[] = [
  ...pairs("plain", ME),
  ...pairs("gateway", GUEST),
  row(
    "rpc: a detail without topics",
    TOPICS,
    { claims: detail({ services: ["*"] }), request: to("job-list.list") },
    { claims: detail({ services: ["*"], topics: ["job-list.list"] }), request: to("job-list.list") },
  ),
  row(
    "rpc: another method than those named",
    TOPICS,
    { claims: detail({ topics: ["kvs.lookup"] }), request: to("kvs.commit") },
    { claims: detail({ topics: ["kvs.lookup"] }), request: to("kvs.lookup") },
  ),
  row(
    "rpc: attr.get, where others are named",
    TOPICS,
    { claims: detail({ topics: ["kvs.lookup"] }), request: rpc },
    { claims: detail({ topics: ["kvs.lookup", "attr.*"] }), request: rpc },
  ),
  row(
    "rpc: attr.set, which is not among the default",
    TOPICS,
    { claims: {}, request: to("attr.set") },
    { claims: {}, request: to("attr.list") },
  ),
];
