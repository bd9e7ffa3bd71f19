import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FluxError } from "../../src/errors.js";
import { Flux } from "../../src/flux.js";
import { exec, type ProcessEvent } from "../../src/index.js";
import type { RankMessage } from "../../src/session/client-call.js";
import { type Outgoing, openSession, Recorder, settled } from "../support/peer.js";

type Message = Outgoing extends infer O ? (O extends Outgoing ? Omit<O, "id" | "rank"> : never) : never;

const last: fc.Arbitrary<Message> = fc.oneof(
  fc.constant({ type: "end" as const }),
  fc.record({
    type: fc.constant("error" as const),
    errno: fc.integer({ min: 1, max: 133 }),
    message: fc.string(),
  }),
);
/** Without integers that become a BigInt: test/property/json.test.ts has those. */
const json = fc.jsonValue().filter((value) => !/\d{16}/.test(JSON.stringify(value)));

const middle: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant("response" as const), payload: fc.dictionary(fc.string(), json) }),
  fc.record({ type: fc.constant("eof" as const), stream: fc.constantFrom("stdout", "stderr") }),
  fc.record({
    type: fc.constant("data" as const),
    stream: fc.constantFrom("stdout", "stderr", "C"),
    data: fc.uint8Array({ maxLength: 20 }),
  }),
);

/** The messages that one rank sends for a request. */
const script = (streaming: boolean): fc.Arbitrary<Message[]> =>
  streaming
    ? fc.tuple(fc.array(middle, { maxLength: 5 }), last).map(([messages, end]) => [...messages, end])
    : fc
        .oneof(
          fc.record({
            type: fc.constant("response" as const),
            payload: fc.dictionary(fc.string(), json),
          }),
          fc.record({
            type: fc.constant("error" as const),
            errno: fc.integer({ min: 1, max: 133 }),
            message: fc.string(),
          }),
        )
        .map((message) => [message]);

interface Plan {
  streaming: boolean;
  /** By rank. */
  ranks: Message[][];
}

const plan: fc.Arbitrary<Plan> = fc.boolean().chain((streaming) =>
  fc.record({
    streaming: fc.constant(streaming),
    ranks: fc.array(script(streaming), { minLength: 1, maxLength: 3 }),
  }),
);

const plans = fc.array(plan, { minLength: 1, maxLength: 4 });

/** All messages of all ranks of all calls, in an order that keeps each rank's own. */
function interleaved(calls: Plan[], ids: number[], picks: number[]): { call: number; message: Outgoing }[] {
  const queues = calls.flatMap(({ ranks }, call) =>
    ranks.map((messages, rank) =>
      messages.map((message) => ({ call, message: { ...message, id: ids[call], rank } })),
    ),
  );
  const all: { call: number; message: Outgoing }[] = [];
  for (let n = 0; ; n++) {
    const open = queues.filter((queue) => queue.length > 0);
    if (open.length === 0) return all;
    const next = open[(picks[n % picks.length] as number) % open.length]?.shift();
    all.push(next as { call: number; message: Outgoing });
  }
}

/** A message that a call got, as it was sent: an error has become a FluxError. */
function asSent(message: RankMessage): unknown {
  if (message.type !== "error") {
    const { seq: _, ...rest } = message;
    return JSON.parse(JSON.stringify(rest, bytesAsArrays));
  }
  const { errno, reason: text, code } = message.error;
  return { type: "error", rank: message.rank, errno, message: text === code ? "" : text };
}

const expected = (message: Outgoing): unknown => {
  const { id, ...rest } = message;
  return JSON.parse(JSON.stringify(message.type === "error" ? rest : { ...rest, id }, bytesAsArrays));
};

const bytesAsArrays = (_: string, value: unknown) => (value instanceof Uint8Array ? [...value] : value);

async function startAll(calls: Plan[]) {
  const { session, proxy } = await openSession();
  const recorders = calls.map(({ streaming, ranks }, i) => {
    const recorder = new Recorder<RankMessage>();
    const nodeid = ranks.length === 1 ? "0" : `0-${ranks.length - 1}`;
    session.start({ topic: `call${i}.x`, nodeid, streaming, payload: {} }, recorder);
    return recorder;
  });
  await settled();
  return { session, proxy, recorders, ids: proxy.requests.map(({ id }) => id) };
}

const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 20 });

describe("Session", () => {
  it("gives each call its own messages in order, and its end once, however they cross", async () => {
    await fc.assert(
      fc.asyncProperty(plans, picks, fc.nat(5), async (calls, order, pause) => {
        const { proxy, recorders, ids } = await startAll(calls);
        const all = interleaved(calls, ids, order);
        const left = calls.map((_, call) => all.filter((sent) => sent.call === call).length);
        for (const [n, { call, message }] of all.entries()) {
          proxy.send(message);
          left[call] = (left[call] as number) - 1;
          if (n % 6 !== pause) continue;
          await settled();
          // Not before its last message, and not later.
          expect(recorders.map(({ ends }) => ends)).toEqual(left.map((n) => (n === 0 ? ["completed"] : [])));
        }
        await settled();
        for (const [call, { values, ends }] of recorders.entries()) {
          const own = all.filter((sent) => sent.call === call).map(({ message }) => expected(message));
          expect(values.map(asSent)).toEqual(own);
          expect(ends).toEqual(["completed"]);
        }
        expect(proxy.closed).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it("ends every open call once with a typed error, for any garbage", async () => {
    const wrong = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
      // Nearly right.
      fc.record({ seqOff: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ rank: fc.integer({ min: 3, max: 9 }) }),
      fc.record({ id: fc.integer({ min: 1000, max: 2000 }) }),
      fc.record({ type: fc.string().filter((type) => type !== "end") }),
    );
    await fc.assert(
      fc.asyncProperty(
        plans,
        picks,
        fc.nat(10),
        fc.array(wrong, { minLength: 1, maxLength: 4 }),
        async (...given) => {
          const [calls, order, before, garbage] = given;
          const { session, proxy, recorders, ids } = await startAll(calls);
          const all = interleaved(calls, ids, order);
          // At least one call stays open.
          const sent = all.slice(0, Math.min(before, all.length - 1));
          proxy.send(...sent.map(({ message }) => message));
          const open = calls.map((_, call) => all.slice(sent.length).some((next) => next.call === call));
          const next = { type: "end", seq: sent.length + 1, id: ids[open.indexOf(true)], rank: 0 };
          for (const piece of garbage) {
            if (typeof piece === "string" || piece instanceof Uint8Array) proxy.raw(piece);
            else if ("seqOff" in piece) proxy.raw(JSON.stringify({ ...next, seq: next.seq + piece.seqOff }));
            else proxy.raw(JSON.stringify({ ...next, ...piece }));
          }
          await settled();
          expect(session.status).toMatchObject({
            state: "connecting",
            error: { name: "FluxError", code: "EPROTO" },
          });
          expect([4400, 4412]).toContain(proxy.closed?.code);
          for (const [call, { ends }] of recorders.entries()) {
            if (!open[call]) expect(ends).toEqual(["completed"]);
            else expect(ends).toEqual([expect.objectContaining({ code: "EPROTO", topic: `call${call}.x` })]);
          }
          const late = new Recorder();
          session.start({ topic: "late.x", nodeid: "any", streaming: false, payload: {} }, late);
          await settled();
          expect(late.ends).toEqual([]);
          session.close();
          await settled();
          expect(late.ends).toEqual([expect.objectContaining({ code: "ECANCELED", topic: "late.x" })]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("exec", () => {
  it("ends once, and any error is typed, for any payloads", async () => {
    const payload = fc.oneof(
      fc.dictionary(fc.constantFrom("type", "pid", "status", "cmd"), json),
      fc.record({ type: fc.constant("started"), pid: fc.integer({ min: -1, max: 3 }) }),
      fc.record({
        type: fc.constant("finished"),
        status: fc.oneof(fc.nat(0xffff), fc.double(), fc.integer()),
      }),
      fc.record({ type: fc.constantFrom("stopped", "attached", "add-credit") }),
    );
    const rank = fc.tuple(fc.array(payload, { maxLength: 5 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(rank, { minLength: 1, maxLength: 3 }), async (ranks) => {
        const { session, proxy } = await openSession();
        const recorder = new Recorder<ProcessEvent>();
        exec(new Flux(session), ["a"], {
          nodeid: `0${ranks.length > 1 ? `-${ranks.length - 1}` : ""}`,
        }).subscribe(recorder);
        await settled();
        for (const [rank, [payloads, ok]] of ranks.entries()) {
          // Through JSON, as it would be: NaN becomes null.
          for (const payload of payloads) proxy.send({ type: "response", id: 1, rank, payload });
          proxy.send(
            ok ? { type: "end", id: 1, rank } : { type: "error", id: 1, rank, errno: 5, message: "" },
          );
        }
        await settled();
        expect(session.status.state).toBe("open");
        expect(recorder.ends).toHaveLength(1);
        const [end] = recorder.ends;
        if (end !== "completed") expect(end).toBeInstanceOf(FluxError);
        for (const rank of ranks.keys()) {
          const own = recorder.values.filter((event) => event.rank === rank).map(({ type }) => type);
          expect(own.filter((type) => type === "finished").length).toBeLessThanOrEqual(1);
          expect(own.filter((type) => type === "error").length).toBeLessThanOrEqual(1);
          // Each started process has a finished event, though its outcome may be unknown.
          if (own.includes("started")) expect(own).toContain("finished");
        }
        const outcomes = recorder.values.flatMap((event) =>
          event.type === "finished" ? [event.outcome.kind] : [],
        );
        if (end === "completed") expect(outcomes.some((kind) => kind !== "unknown")).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
