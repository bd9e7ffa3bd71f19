import { describe, expect, it, vi } from "vitest";
import type { Welcome } from "../../../../src/protocol/messages.js";
import type { LinkOptions } from "../../../../src/session/link.js";
import { Session } from "../../../../src/session/session.js";
import { SessionToken } from "../../../../src/session/session-token.js";
import {
  end,
  failed,
  openSession,
  output,
  Recorder,
  ScriptedProxy,
  settled,
  started,
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
const back = (session: Session, state = "open") =>
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

  it("drops what comes twice", async () => {
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

  it("keeps what was not sent, so that it can still be taken back", async () => {
    const { session, proxy } = await running();
    proxy.drop();
    await settled();
    const call = session.start(request, new Recorder());
    expect(session.withdraw(call)).toBe(true);
    await back(session);
    expect(proxy.requests).toHaveLength(1);
  });

  it.each([
    [4404, "ECONNRESET"],
    [4401, "EACCES"],
    [4503, "ECONNRESET"],
    [4423, "EUSERS"],
  ])("that the proxy does not let be resumed (%i) ends the session with %s", async (code, errno) => {
    const { session, proxy, recorder } = await running();
    proxy.onHello = () => proxy.close(code, "why");
    proxy.drop();
    await settled();
    await back(session, "closed");
    expect(session.status).toMatchObject({ error: { code: errno, message: `why (close code ${code})` } });
    expect(recorder.ends).toMatchObject([{ code: errno }]);
  });

  it("that another client has resumed is tried again, and then lost", async () => {
    const { session, proxy } = await running();
    proxy.onHello = () => proxy.close(4404, "gone");
    proxy.close(4410, "resumed by another");
    await settled();
    await back(session, "closed");
    expect(proxy.hellos).toHaveLength(2);
  });

  it("asks for the token again, and for as long as none is to be had", async () => {
    let asked = 0;
    const proxy = new ScriptedProxy();
    proxy.onHello = ({ resume }) => (resume ? proxy.resume() : proxy.welcome());
    const token = async () => {
      asked++;
      if (asked === 2) throw new Error("offline");
      return `token ${asked}`;
    };
    const session = new Session(proxy.connector, new SessionToken(token, undefined), undefined, options);
    await settled();
    proxy.drop();
    await settled();
    await back(session);
    expect(proxy.hellos.map(({ token }) => token)).toEqual(["token 1", "token 3"]);
  });

  it("ends the session where the proxy keeps none", async () => {
    const { session, proxy } = await running({ grace: 0, resume: undefined });
    proxy.drop();
    await settled();
    expect(session.status).toMatchObject({ state: "closed", error: { code: "ECONNRESET" } });
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
  it("goes on over another connection, and tells no interruption", async () => {
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

  it("rejects where there is no session", async () => {
    const { session } = await openSession();
    session.close();
    await expect(session.reconnect()).rejects.toMatchObject({ code: "ENOTCONN" });
  });
});
