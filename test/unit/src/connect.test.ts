import { filter, firstValueFrom } from "rxjs";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { clientSigner, connect, Flux, type Token } from "../../../src/index.js";
import { webSocketConnector } from "../../../src/transport/websocket.js";
import { ScriptedProxy, settled } from "../../support/peer.js";

vi.mock("../../../src/transport/websocket.js", () => ({ webSocketConnector: vi.fn() }));

let proxy: ScriptedProxy;
beforeEach(() => {
  proxy = new ScriptedProxy();
  vi.mocked(webSocketConnector).mockReset().mockReturnValue(proxy.connector);
});

describe("connect", () => {
  it.each([
    ["ws://host:80/path?query", "ws://host/path?query"],
    ["wss://host", "wss://host/"],
    ["http://host:8080", "ws://host:8080/"],
    ["https://host/a#fragment", "wss://host/a"],
    [new URL("https://http.example/http"), "wss://http.example/http"],
  ])("goes to %s", (url, to) => {
    expect(connect(url, { token: "t" })).toBeInstanceOf(Flux);
    expect(vi.mocked(webSocketConnector).mock.calls).toEqual([[to]]);
  });

  it.each(["", "host", "/path", "ftp://host/", "file:///x", "javascript:1"])("refuses %j", (url) => {
    expect(() => connect(url, { token: "t" })).toThrow(TypeError);
  });

  it.each([
    ["a string", "t0ken"],
    ["a promise", Promise.resolve("t0ken")],
    ["a function", () => "t0ken"],
    ["a function of a promise", async () => "t0ken"],
  ])("takes its token from %s", async (_, token) => {
    connect("ws://host", { token });
    await settled();
    expect(proxy.token).toBe("t0ken");
  });

  it.each([undefined, null, "", 7, {}])("refuses %j as a token", (token) => {
    expect(() => connect("ws://host", { token: token as Token })).toThrow(TypeError);
  });

  it("refuses a signer that does not sign for a session", () => {
    const signer = { mechanism: "none", userid: 1, sign: async () => "" };
    expect(() => connect("ws://host", { token: "t", signer: signer as never })).toThrow(
      new TypeError("signer was not made by clientSigner"),
    );
    const flux = connect("ws://host", { token: "t", signer: clientSigner(signer) });
    flux.close();
  });

  it("reports a failed token source in status$ and in every request", async () => {
    const flux = connect("ws://host", { token: Promise.reject(new Error("no login")) });
    await expect(flux.rpc("a.b").get()).rejects.toMatchObject({ code: "EACCES", topic: "a.b" });
    const states: unknown[] = [];
    flux.status$.subscribe((status) => states.push(status));
    expect(states).toMatchObject([{ state: "closed", error: { code: "EACCES" } }]);
  });

  it("tries again after a function that throws, and reports it in status$", async () => {
    const flux = connect("ws://host", {
      token: () => {
        throw new Error("no keys");
      },
    });
    const failed = flux.status$.pipe(filter((status) => status.state === "connecting" && status.attempt > 1));
    await expect(firstValueFrom(failed)).resolves.toMatchObject({
      error: { code: "EACCES", message: "the token source failed: no keys" },
    });
    flux.close();
  });

  it("reports a limit on the attempts in status$ and in every request", async () => {
    const token = () => Promise.reject(new Error("no keys"));
    const flux = connect("ws://host", { token, retry: { count: 3, delay: () => 1 } });
    await expect(flux.rpc("a.b").get()).rejects.toMatchObject({
      reason: "the token source failed: no keys",
    });
  });
});
