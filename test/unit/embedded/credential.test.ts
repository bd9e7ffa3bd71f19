/** In whose name a message of the instance owner's connection is taken. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { FLAG, ROLE } from "../../../proxy/wire/message.js";
import { command, output, payloadText, type SendOptions, WireClient } from "./client.js";

const REFUSAL = "Request requires owner credentials";
const GUEST = 71001;

let broker: EmbeddedBroker;
let client: WireClient;
beforeEach(async () => {
  broker = await startEmbeddedBroker();
  client = await WireClient.connect(broker.uri);
});
afterEach(async () => {
  client.close();
  await broker.close();
});

describe("the owner's service", () => {
  it.each<[SendOptions, boolean]>([
    [{}, true],
    [{ rolemask: ROLE.owner }, true],
    [{ rolemask: ROLE.owner | ROLE.user }, true],
    [{ userid: GUEST, rolemask: ROLE.owner }, true],
    [{ userid: GUEST }, true], // the roles are filled in on their own
    [{ rolemask: ROLE.user }, false],
    [{ userid: GUEST, rolemask: ROLE.user }, false],
    [{ userid: GUEST, rolemask: ROLE.user | ROLE.local }, false],
    [{ userid: process.getuid?.() ?? 0, rolemask: ROLE.user }, false],
    [{ rolemask: 8 }, false],
  ])("to a message with %j: %j", async (options, allowed) => {
    for (const method of ["exec", "kill", "list", "wait", "attach"]) {
      const response = await client.rpc(`rexec.${method}`, {}, options);
      expect(payloadText(response) === REFUSAL, method).toBe(!allowed);
      if (!allowed) expect(response.errnum).toBe(1);
    }
    expect(await client.rpc("attr.get", { name: "rank" }, options)).toMatchObject({ errnum: 0 });
    expect(await client.rpc("attr.list", undefined, options)).toMatchObject({ errnum: 0 });
  });

  it("takes no input for a process from a guest", async () => {
    const { matchtag } = await client.exec(command(["cat"]), 3);
    client.write(matchtag, { stream: "stdin", data: "guest " }, { userid: GUEST, rolemask: ROLE.user });
    client.write(matchtag, { stream: "stdin", data: "owner", eof: true });
    expect(output(await client.stream(matchtag), "stdout").toString()).toBe("owner");
  });

  it("does not answer a guest who wants no answer", async () => {
    client.request("rexec.list", {}, { rolemask: ROLE.user, flags: FLAG.noresponse });
    await client.rpc("rexec.list", {});
    expect(client.responses).toHaveLength(1);
  });
});
