import { generateKeyPairSync } from "node:crypto";
import type { Observable } from "rxjs";
import { NEVER } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { attach, exec, Flux, kill, list, watch, write } from "../../../../src/index.js";
import { SessionToken } from "../../../../src/session/session-token.js";
import { Sessions } from "../../../../src/session/sessions.js";
import { clientSigner } from "../../../../src/session/signed-calls.js";
import { curveSigner } from "../../../../src/signing/curve.js";
import { noneSigner } from "../../../../src/signing/none.js";
import { parseSignature } from "../../../../src/signing/signature.js";
import type { Signer } from "../../../../src/signing/signer.js";
import { failed, ScriptedProxy, settled, started } from "../../../support/peer.js";

/** An instance of user 1000, and a client that is user 1001. */
async function guest(signer?: Signer) {
  const proxy = new ScriptedProxy();
  proxy.onHello = () => proxy.welcome({ owner: 1000, userid: 1001, time: Date.UTC(2030, 0, 1) });
  const flux = new Flux(
    new Sessions(
      proxy.connector,
      new SessionToken(async () => "token", undefined),
      signer && clientSigner(signer),
    ),
  );
  await settled();
  return { proxy, flux };
}

const signed = (payload: unknown) => {
  const { signature, ...plain } = payload as { signature: string };
  const { header, userid, payload: bytes } = parseSignature(signature);
  return { plain, header, userid, json: JSON.parse(new TextDecoder().decode(bytes)) };
};

describe("signing", () => {
  it("is the proxy's when the client has no signer: always, never, or for all but the owner", async () => {
    const { proxy, flux } = await guest();
    for (const sign of [undefined, true, false]) list(flux, { sign }).subscribe();
    flux.rpc("attr.get", { name: "size" }).subscribe();
    await settled();
    expect(proxy.requests.map(({ sign }) => sign)).toEqual([true, true, undefined, undefined]);
  });

  it("is not done where the client is the owner, unless it is asked for", async () => {
    const proxy = new ScriptedProxy();
    proxy.onHello = () => proxy.welcome({ owner: 1000, userid: 1000 });
    const token = new SessionToken(async () => "token", undefined);
    const flux = new Flux(new Sessions(proxy.connector, token, clientSigner(noneSigner(1000))));
    await settled();
    list(flux).subscribe();
    list(flux, { sign: true }).subscribe();
    await settled();
    expect(proxy.requests.map(({ payload }) => Object.keys(payload))).toEqual([[], ["signature"]]);
  });

  it("is the client's where it has a signer: the signature alone, of the topic and the fields", async () => {
    const { proxy, flux } = await guest(noneSigner(1001));
    kill(flux, { pid: 7, nodeid: 2, service: "1001-shell-f1.rexec" }).subscribe();
    await settled();
    const [request] = proxy.requests;
    expect(request).toMatchObject({ topic: "1001-shell-f1.rexec.kill", nodeid: "2" });
    expect(signed(request?.payload)).toMatchObject({
      plain: {},
      userid: 1001,
      json: { pid: 7, signum: 15, topic: "1001-shell-f1.rexec.kill" },
    });
  });

  it("of a request that is not signed yet when its session is lost begins again in the next one", async () => {
    const signers: ((signature: string) => void)[] = [];
    const sign = () => new Promise<string>((resolve) => signers.push(resolve));
    const { proxy, flux } = await guest({ mechanism: "none", userid: 1001, sign });
    const listed = list(flux).get();
    await settled();
    expect(signers).toHaveLength(1);
    proxy.close(1001, "stop");
    await settled();
    await flux.reconnect();
    await settled();
    signers[0]?.("of the lost session");
    signers[1]?.("of the next session");
    await settled();
    expect(proxy.requests.map(({ payload }) => payload)).toEqual([{ signature: "of the next session" }]);
    const [request] = proxy.requests;
    proxy.send({ type: "response", id: request?.id as number, rank: 0, payload: { rank: 0, procs: [] } });
    expect(await listed).toEqual({ rank: 0, procs: [] });
  });

  it("goes by the proxy's clock", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const { proxy, flux } = await guest(await curveSigner({ key, userid: 1001 }));
    list(flux).subscribe();
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
    const ctime = signed(proxy.requests[0]?.payload).header.get("curve.ctime");
    expect(ctime?.value).toBeGreaterThanOrEqual(Date.UTC(2030, 0, 1) / 1000);
    expect(ctime?.value).toBeLessThan(Date.UTC(2030, 0, 1) / 1000 + 60);
  });

  it("uses the proxy's clock when a session is resumed: the client's may have stood still", async () => {
    const times: (number | undefined)[] = [];
    const signer: Signer = {
      ...noneSigner(1001),
      sign: (payload, now) => {
        times.push(now);
        return noneSigner(1001).sign(payload);
      },
    };
    const { proxy, flux } = await guest(signer);
    const slept = Date.UTC(2030, 0, 1, 0, 10);
    proxy.onHello = () => proxy.resume({ owner: 1000, userid: 1001, time: slept });
    await flux.reconnect();
    kill(flux, { pid: 7 }).subscribe();
    await vi.waitFor(() => expect(times).toHaveLength(1));
    expect(times[0]).toBeGreaterThan(slept - 1);
  });

  it("keeps an exec, its input and the end of it in order, each write for each rank", async () => {
    const slow: Signer = {
      ...noneSigner(1001),
      // The first takes longest.
      sign: async (payload) => {
        if (payload.includes("cmdline")) await new Promise((resolve) => setTimeout(resolve, 20));
        return noneSigner(1001).sign(payload);
      },
    };
    const { proxy, flux } = await guest(slow);
    exec(flux, ["cat"], { nodeid: "0,3", stdin: "hé" }).subscribe();
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 2 });
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 100 });
    await vi.waitFor(() => expect(proxy.received).toHaveLength(7));
    const writes = proxy.received.flatMap((message) => (message.type === "write" ? [message] : []));
    expect(writes.map(({ rank, stream, bytes }) => [rank, stream, bytes])).toEqual([
      [0, "stdin", 2],
      [3, "stdin", 2],
      [0, "stdin", 1],
      [3, "stdin", 1],
      [0, "stdin", 0],
      [3, "stdin", 0],
    ]);
    const stdin = { stream: "stdin" };
    expect(writes.map(({ signature }) => signed({ signature }).json)).toEqual([
      { matchtag: 1, io: { ...stdin, rank: "0", data: "aMM=", encoding: "base64" }, topic: "rexec.write" },
      { matchtag: 2, io: { ...stdin, rank: "3", data: "aMM=", encoding: "base64" }, topic: "rexec.write" },
      { matchtag: 1, io: { ...stdin, rank: "0", data: "qQ==", encoding: "base64" }, topic: "rexec.write" },
      { matchtag: 2, io: { ...stdin, rank: "3", data: "qQ==", encoding: "base64" }, topic: "rexec.write" },
      { matchtag: 1, io: { ...stdin, rank: "0", eof: true }, topic: "rexec.write" },
      { matchtag: 2, io: { ...stdin, rank: "3", eof: true }, topic: "rexec.write" },
    ]);
  });

  it("that fails is EPERM with the reason, and nothing is sent", async () => {
    const broken: Signer = {
      ...noneSigner(1001),
      sign: () => Promise.reject(new Error("the key is locked")),
    };
    const { proxy, flux } = await guest(broken);
    await expect(kill(flux, { pid: 7 }).get()).rejects.toMatchObject({
      code: "EPERM",
      reason: "the request could not be signed: the key is locked",
      topic: "rexec.kill",
    });
    expect(proxy.received).toEqual([]);
  });

  it("by another user than the token's is EPERM", async () => {
    const { proxy, flux } = await guest(noneSigner(1002));
    await expect(list(flux).get()).rejects.toMatchObject({
      code: "EPERM",
      reason: "the signer is of user 1002, the token of 1001",
    });
    expect(proxy.received).toEqual([]);
  });

  it("that is unfinished when its subscriber leaves is not sent", async () => {
    let sign = () => {};
    const slow: Signer = {
      ...noneSigner(1001),
      sign: async (payload) => {
        await new Promise<void>((resolve) => {
          sign = resolve;
        });
        return noneSigner(1001).sign(payload);
      },
    };
    const { proxy, flux } = await guest(slow);
    const asked: Observable<unknown>[] = [
      attach(flux, { pid: 7 }),
      exec(flux, ["a"]),
      list(flux, { signal: AbortSignal.timeout(1) }),
    ];
    for (const wanted of asked) {
      const subscription = wanted.subscribe({ error: () => {} });
      await new Promise((resolve) => setTimeout(resolve, 5));
      subscription.unsubscribe();
      sign();
      await settled();
    }
    expect(proxy.received).toEqual([]);
    kill(flux, { pid: 7 }).subscribe();
    await settled();
    sign();
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
  });

  it("covers the kills of an exec that is unsubscribed from", async () => {
    const { proxy, flux } = await guest(noneSigner(1001));
    const subscription = exec(flux, ["sleep", "9"], { sign: true }).subscribe();
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(1));
    proxy.send({ type: "response", id: 1, rank: 0, payload: { type: "started", pid: 77 } });
    await settled();
    subscription.unsubscribe();
    await vi.waitFor(() => expect(proxy.requests).toHaveLength(2));
    expect(signed(proxy.requests[1]?.payload).json).toEqual({ pid: 77, signum: 15, topic: "rexec.kill" });
  });
});

describe("signing a watch", () => {
  const service = "1001-shell-f1.rexec";
  const topic = `${service}.list`;

  it("is of the list alone, beside the proxy's fields; once more each time that the proxy asks", async () => {
    const { proxy, flux } = await guest(noneSigner(1001));
    const subscription = watch(flux, { service, nodeid: 0 }).subscribe();
    await settled();
    const [request] = proxy.requests;
    expect(request).toMatchObject({ id: 1, topic, streaming: true });
    expect(request).not.toHaveProperty("sign");
    expect(signed(request?.payload)).toMatchObject({
      plain: { interval: 1000 },
      userid: 1001,
      json: { topic },
    });
    for (let asked = 1; asked <= 2; asked++) {
      proxy.send({ type: "stale", id: 1 });
      await settled();
      expect(proxy.received.slice(1)).toHaveLength(asked);
    }
    const [fresh] = proxy.received.slice(1) as { type: string; id: number }[];
    expect(fresh).toMatchObject({ type: "fresh", id: 1 });
    expect(signed(fresh).json).toEqual({ topic });
    subscription.unsubscribe();
    proxy.send({ type: "stale", id: 1 }, failed(1, 125));
    await settled();
    expect(proxy.received.slice(3).map(({ type }) => type)).toEqual(["detach"]);
  });

  it("that fails ends the watch with the reason, for the proxy too", async () => {
    let locked = false;
    const signer: Signer = {
      ...noneSigner(1001),
      sign: (payload) =>
        locked ? Promise.reject(new Error("the key is locked")) : noneSigner(1001).sign(payload),
    };
    const { proxy, flux } = await guest(signer);
    const errors: unknown[] = [];
    watch(flux, { service, nodeid: 0 }).subscribe({ error: (error) => errors.push(error) });
    await settled();
    locked = true;
    proxy.send({ type: "stale", id: 1 });
    await settled();
    expect(errors).toMatchObject([
      { code: "EPERM", reason: "the request could not be signed: the key is locked", topic },
    ]);
    expect(proxy.received.slice(1)).toEqual([{ type: "detach", id: 1 }]);
    proxy.send(failed(1, 125));
    await settled();
    expect(errors).toHaveLength(1);
    expect(proxy.closed).toBeUndefined();
  });
});

describe("input that is refused", () => {
  it("fails waiting and later input, with the proxy's reason; the end of the stream is still sent", async () => {
    const { proxy, flux } = await guest();
    const errors: unknown[] = [];
    exec(flux, ["cat"], { stdin: "text" }).subscribe({ error: (error) => errors.push(error.code) });
    await settled();
    const message = "token does not allow write";
    proxy.send({ type: "response", id: 1, rank: 0, payload: { type: "started", pid: 77 } });
    proxy.send({ type: "refused", id: 1, stream: "stdin", bytes: 0, errno: 1, message });
    await settled();
    expect(errors).toEqual(["EPERM"]);
    expect(proxy.received.map(({ type }) => type)).toEqual(["request", "eof", "request"]);
    const waiting = write(flux, { matchtag: 1 }, "x", { stream: "CHAN" }).get();
    const refused = expect(waiting).rejects.toMatchObject({ code: "EPERM", reason: message });
    proxy.send({ type: "refused", id: 1, stream: "CHAN", bytes: 0, errno: 1, message });
    await refused;
    await expect(write(flux, { matchtag: 1 }, "x", { stream: "CHAN" }).get()).rejects.toMatchObject({
      code: "EPERM",
      reason: message,
    });
  });

  it("fails the process whose input was sent and not passed on, also after its end", async () => {
    const { proxy, flux } = await guest();
    const errors: unknown[] = [];
    exec(flux, ["cat"], { stdin: "text" }).subscribe({ error: (error) => errors.push(error.code) });
    await settled();
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 9 });
    await settled();
    expect(proxy.received.map(({ type }) => type)).toEqual(["request", "data", "eof"]);
    const message = "token does not allow write";
    proxy.send({ type: "refused", id: 1, stream: "stdin", bytes: 4, errno: 1, message });
    await settled();
    expect(errors).toEqual([]);
    proxy.send({ type: "refused", id: 1, stream: "stdin", bytes: 3, errno: 1, message });
    await settled();
    expect(errors).toEqual(["EPERM"]);
  });

  it("is taken again after credit, unless some of it was lost", async () => {
    for (const [passed, outcome] of [
      [1, "sent"],
      [0, "EPERM"],
    ] as const) {
      const { proxy, flux } = await guest();
      exec(flux, ["cat"], { stdin: NEVER }).subscribe({ error: () => {} });
      await settled();
      proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 1 });
      const put = async () =>
        write(flux, { matchtag: 1 }, "x")
          .get()
          .then(
            () => "sent",
            ({ code }) => code,
          );
      const first = put();
      await settled();
      expect(await first).toBe("sent");
      proxy.send({ type: "refused", id: 1, stream: "stdin", bytes: passed, errno: 1, message: "" });
      proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 5 });
      await settled();
      const second = put();
      await settled();
      expect(await second).toBe(outcome);
    }
  });

  it("is of the signals that stop an attached process, if the caller asks for it", async () => {
    const { proxy, flux } = await guest(noneSigner(1001));
    attach(flux, { pid: 42, overflow: "stop" }).subscribe();
    attach(flux, { pid: 43 }).subscribe();
    await settled();
    for (const [id, pid] of [
      [1, 42],
      [2, 43],
    ] as const) {
      proxy.send({ type: "response", id, rank: 0, payload: { type: "attached", pid, cmd: {} } });
    }
    await settled();
    expect(proxy.brakes).toMatchObject([{ type: "brake", id: 1, rank: 0 }]);
  });

  it("is of the signals that stop the process, too, as soon as it has started, and for that pid alone", async () => {
    const { proxy, flux } = await guest(noneSigner(1001));
    const service = "1001-shell-f1.rexec";
    exec(flux, ["a"], { nodeid: "0-1", service }).subscribe();
    exec(flux, ["a"], { service, overflow: "gap" }).subscribe();
    await settled();
    proxy.send(started(1, 1, 42), started(3, 0, 43));
    await settled();
    expect(proxy.brakes).toMatchObject([{ type: "brake", id: 1, rank: 1 }]);
    const requests = proxy.brakes
      .flatMap(({ stop, cont }) => [stop, cont])
      .map((signature) => signed({ signature }).json);
    const topic = `${service}.kill`;
    expect(requests).toEqual([
      { pid: 42, signum: 19, topic },
      { pid: 42, signum: 18, topic },
    ]);
  });
});
