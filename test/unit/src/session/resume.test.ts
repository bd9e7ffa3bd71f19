import { retry, tap } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { Flux } from "../../../../src/flux.js";
import { exec } from "../../../../src/index.js";
import type { Welcome } from "../../../../src/protocol/messages.js";
import type { LinkOptions } from "../../../../src/session/link.js";
import { SessionToken } from "../../../../src/session/session-token.js";
import { Sessions } from "../../../../src/session/sessions.js";
import {
  end,
  failed,
  openSession,
  output,
  Recorder,
  ScriptedProxy,
  settled,
  started,
  WELCOME,
} from "../../../support/peer.js";

const options: LinkOptions = { retry: { delay: () => 0 } };
const request = { topic: "rexec.exec", nodeid: "any", streaming: true, payload: {} };

/** A session with one process that runs. */
async function running(welcome?: Partial<Welcome>) {
  const { session, proxy } = await openSession(welcome, options);
  const recorder = new Recorder<{ type: string }>();
  const call = session.start(request, recorder);
  await settled();
  proxy.send(started(1), output(1, "one"));
  await settled();
  return { session, proxy, recorder, call };
}

/** Until the client has come back, or given up. */
const back = (session: Sessions, state = "open") =>
  vi.waitFor(() => expect(session.status.state).toBe(state)).then(settled);

describe("a lost connection", () => {
  it("is followed by another, over which the session goes on", async () => {
    const { session, proxy, recorder } = await running();
    proxy.drop();
    await settled();
    await back(session);
    expect(proxy.hellos[1]).toEqual({ type: "hello", token: "token", resume: { id: "r1", received: 2 } });
    expect(proxy.acks).toEqual([2]);
    proxy.send(output(1, "two"), end(1));
    await settled();
    expect(recorder.values.map(({ type }) => type)).toEqual(["response", "data", "data", "end"]);
    expect(recorder.ends).toEqual(["completed"]);
  });

  it("may be lost again and again: each time the id is the last one that came", async () => {
    const { session, proxy } = await running();
    for (let n = 0; n < 3; n++) {
      proxy.drop();
      await settled();
      await back(session);
    }
    expect(proxy.hellos.slice(1).map(({ resume }) => resume?.id)).toEqual(["r1", "r2", "r3"]);
  });

  it("loses nothing that was sent over it, and repeats nothing that arrived", async () => {
    const { session, proxy, call } = await running();
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 100 });
    await settled();
    void call.input("stdin").write(new Uint8Array(3));
    proxy.drop();
    void call.input("stdin").write(new Uint8Array(4));
    session.start({ ...request, topic: "a.b" }, new Recorder());
    await settled();
    await back(session);
    expect(
      proxy.received.map((message) => [message.type, message.type === "data" && message.data.length]),
    ).toEqual([
      ["request", false],
      ["data", 3],
      ["data", 4],
      ["request", false],
    ]);
  });

  it("drops a message that comes twice", async () => {
    const { session, proxy, recorder } = await running();
    proxy.onHello = () => {
      proxy.welcome({ resume: "again" });
      proxy.send(output(1, "two"));
    };
    proxy.drop();
    await settled();
    await back(session);
    proxy.raw(JSON.stringify({ type: "response", seq: 1, id: 1, rank: 0, payload: {} }));
    await settled();
    expect(recorder.values.map(({ type }) => type)).toEqual(["response", "data", "data"]);
    expect(session.status.state).toBe("open");
  });

  it("keeps unsent messages, so that they can still be taken back", async () => {
    const { session, proxy } = await running();
    proxy.drop();
    await settled();
    const call = session.start(request, new Recorder());
    expect(session.withdraw(call)).toBe(true);
    await back(session);
    expect(proxy.requests).toHaveLength(1);
  });

  it.each([4401, 4423, 4503])(
    "is tried again if the proxy refuses the socket (%i): the session stays",
    async (code) => {
      const { session, proxy, recorder } = await running();
      proxy.onHello = () => {
        proxy.onHello = () => proxy.resume();
        proxy.close(code, "why");
      };
      proxy.drop();
      await settled();
      await back(session);
      proxy.send(output(1, "two"), end(1));
      await settled();
      expect(proxy.hellos.map(({ resume }) => resume?.id)).toEqual([undefined, "r1", "r1"]);
      expect(recorder.ends).toEqual(["completed"]);
    },
  );

  it("asks for the token again, and for as long as none is to be had", async () => {
    let asked = 0;
    const proxy = new ScriptedProxy();
    proxy.onHello = ({ resume }) => (resume ? proxy.resume() : proxy.welcome());
    const token = async () => {
      asked++;
      if (asked === 2) throw new Error("offline");
      return `token ${asked}`;
    };
    const session = new Sessions(proxy.connector, new SessionToken(token, undefined), undefined, options);
    await settled();
    proxy.drop();
    await settled();
    await back(session);
    expect(proxy.hellos.map(({ token }) => token)).toEqual(["token 1", "token 3"]);
  });
});

describe("a lost session", () => {
  it.each([
    ["the proxy does not know it any more", (proxy: ScriptedProxy) => proxy.drop(), "gone, close code 4404"],
    [
      "another client has resumed it",
      (proxy: ScriptedProxy) => proxy.close(4410, "moved"),
      "gone, close code 4404",
    ],
    ["the proxy stops", (proxy: ScriptedProxy) => proxy.close(1001, "stop"), "stop, close code 1001"],
  ])(
    "fails its calls with ECONNRESET if %s, and the next session takes the later ones",
    async (_, lose, message) => {
      const { session, proxy, recorder } = await running();
      proxy.onHello = ({ resume }) => (resume ? proxy.close(4404, "gone") : proxy.welcome());
      lose(proxy);
      const later = new Recorder();
      session.start({ ...request, topic: "later.x" }, later);
      await vi.waitFor(() => expect(recorder.ends).toHaveLength(1));
      expect(recorder.ends).toMatchObject([{ code: "ECONNRESET", reason: message }]);
      await back(session);
      // The request was sent once, and the later one has an id that no request had before.
      expect(proxy.requests.map(({ id, topic }) => [id, topic])).toEqual([
        [1, "rexec.exec"],
        [2, "later.x"],
      ]);
      proxy.send(started(2), end(2));
      await settled();
      expect([later.values.length, later.ends]).toEqual([2, ["completed"]]);
      expect(session.call(1)).toBeUndefined();
    },
  );

  it("is replaced where the proxy keeps none, and the process has an unknown outcome", async () => {
    const { session, proxy, recorder } = await running({ grace: 0, resume: undefined });
    proxy.onHello = () => {};
    proxy.drop();
    await settled();
    expect(session.status).toMatchObject({ state: "connecting", attempt: 1, error: { code: "ECONNRESET" } });
    expect(recorder.ends).toMatchObject([{ code: "ECONNRESET" }]);
  });

  it("tells why, as data that JSON keeps", async () => {
    const { session, proxy } = await running();
    const statuses: string[] = [];
    session.status$.subscribe((status) => statuses.push(JSON.stringify(status)));
    proxy.onHello = ({ resume }) =>
      resume ? proxy.close(4404, "gone") : proxy.welcome({ session: "second" });
    proxy.drop();
    await settled();
    await vi.waitFor(() => expect(session.status).toMatchObject({ state: "open", session: "second" }));
    const plain = statuses.map((text) => JSON.parse(text));
    expect(plain.map(({ state, session, attempt }) => [state, session, attempt])).toEqual([
      ["open", WELCOME.session, undefined],
      ["resuming", WELCOME.session, 1],
      ["resuming", WELCOME.session, 1],
      ["connecting", undefined, 1],
      ["connecting", undefined, 1],
      ["open", "second", undefined],
    ]);
    expect(plain[3].error).toMatchObject({
      name: "FluxError",
      code: "ECONNRESET",
      reason: "gone, close code 4404",
    });
    expect(plain[1].next).toBeGreaterThan(0);
  });

  it("ends a handle that a status observer closes in between, and nothing is tried any more", async () => {
    const { session, proxy, recorder } = await running();
    session.status$.subscribe(({ state }) => state === "connecting" && session.close());
    proxy.close(1001, "stop");
    await settled();
    expect([session.status, recorder.ends.length, proxy.hellos.length]).toEqual([{ state: "closed" }, 1, 1]);
  });

  it("leaves retry() of a closed handle, which fails for ever, some time for others", async () => {
    const { session } = await running();
    session.close();
    const flux = new Flux(session);
    let failures = 0;
    const subscription = exec(flux, ["a"])
      .pipe(tap({ error: () => failures++ }), retry())
      .subscribe();
    // A timer of others runs meanwhile.
    await vi.waitFor(() => expect(failures).toBeGreaterThan(1));
    subscription.unsubscribe();
  });
});

describe("hello", () => {
  it.each<[LinkOptions, number | undefined]>([
    [{}, undefined],
    [{ grace: 5000 }, 5000],
    [{ retry: false }, 0],
    [{ retry: false, grace: 5000 }, 0],
  ])("with %j asks for a grace of %s", async (given, grace) => {
    const { proxy } = await openSession({}, given);
    expect(proxy.hellos[0]?.grace).toBe(grace);
  });
});

describe("reconnect", () => {
  it("continues over another connection, and reports no interruption", async () => {
    const { session, proxy, recorder } = await running();
    const states: string[] = [];
    session.status$.subscribe(({ state }) => states.push(state));
    await Promise.all([session.reconnect(), session.reconnect()]);
    proxy.send(output(1, "two"), end(1));
    await settled();
    expect([proxy.hellos.length, states]).toEqual([2, ["open", "open"]]);
    expect(recorder.values.map(({ type }) => type)).toEqual(["response", "data", "data", "end"]);
  });

  it("rejects where it fails, and the connection there is serves on", async () => {
    const { session, proxy } = await running();
    proxy.onHello = () => proxy.close(4401, "no");
    await expect(session.reconnect()).rejects.toMatchObject({ code: "EACCES" });
    proxy.peers.pop();
    proxy.send(failed(1, 2));
    await settled();
    expect(session.status.state).toBe("open");
  });

  it("rejects when its attempt fails while the connection is lost, and the attempts go on", async () => {
    const { session, proxy } = await openSession({}, { retry: { delay: () => 10_000 } });
    proxy.drop();
    await settled();
    proxy.onHello = () => proxy.close(4401, "no");
    await expect(session.reconnect()).rejects.toMatchObject({
      code: "EACCES",
      reason: "no, close code 4401",
    });
    expect(session.status).toMatchObject({ state: "resuming", attempt: 2, error: { code: "EACCES" } });
    proxy.onHello = () => proxy.resume();
    await session.reconnect();
    expect(session.status.state).toBe("open");
  });

  it("before the first session, opens it", async () => {
    const proxy = new ScriptedProxy();
    proxy.onHello = () => proxy.close(4503, "no broker");
    const retry = { delay: () => 10_000 };
    const session = new Sessions(
      proxy.connector,
      new SessionToken(async () => "token", undefined),
      undefined,
      { retry },
    );
    await settled();
    await expect(session.reconnect()).rejects.toMatchObject({ reason: "no broker, close code 4503" });
    proxy.onHello = () => proxy.welcome();
    await session.reconnect();
    expect(session.status.state).toBe("open");
  });

  it("rejects where there is no session", async () => {
    const { session } = await openSession();
    session.close();
    await expect(session.reconnect()).rejects.toMatchObject({ code: "ENOTCONN" });
  });
});
