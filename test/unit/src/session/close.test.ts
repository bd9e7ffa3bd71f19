import { describe, expect, it } from "vitest";
import { closeError } from "../../../../src/session/close.js";

describe("closeError", () => {
  it.each([
    [1009, "EMSGSIZE"],
    [4400, "EPROTO"],
    [4401, "EACCES"],
    [4408, "ETIMEDOUT"],
    [4409, "EPROTO"],
    [4412, "EPROTO"],
    [4429, "EPROTO"],
    [4500, "EREMOTEIO"],
    [4503, "ECONNRESET"],
    [1000, "ECONNRESET"],
    [1001, "ECONNRESET"],
    [1006, "ECONNRESET"],
  ])("makes close code %i %s", (code, name) => {
    const error = closeError({ code, reason: "why", opened: true });
    expect([error.code, error.reason]).toEqual([name, `why, close code ${code}`]);
  });

  it("has words where the peer had none", () => {
    const { message } = closeError({ code: 1006, reason: "", opened: true });
    expect(message).toBe("the connection to the proxy was lost, close code 1006");
  });

  it("reports a proxy that was never there, for any code", () => {
    const cause = new Error("getaddrinfo");
    const error = closeError({ code: 4401, reason: "", opened: false, cause });
    expect([error.code, error.reason, error.cause]).toEqual([
      "ECONNREFUSED",
      "the proxy cannot be reached: getaddrinfo",
      cause,
    ]);
    expect(closeError({ code: 1006, reason: "", opened: false }).message).toBe(
      "the proxy cannot be reached, and this runtime does not say why",
    );
  });
});
