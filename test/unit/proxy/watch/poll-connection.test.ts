import { expect, test } from "vitest";
import { PollConnection } from "../../../../proxy/watch/poll-connection.js";
import type { FluxError } from "../../../../src/errors.js";
import { MemoryBroker } from "../support/memory.js";

test("a request that was still being signed when nobody watches any more opens no connection", async () => {
  const opened: MemoryBroker[] = [];
  const connection = new PollConnection(async () => {
    opened.push(new MemoryBroker());
    return opened.at(-1) as MemoryBroker;
  });
  const errors: FluxError[] = [];
  const answer = { response: () => {}, error: (error: FluxError) => void errors.push(error) };
  connection.close();
  await connection.request({ topic: "rexec.list", nodeid: 0, payload: new Uint8Array() }, answer);
  expect(errors).toMatchObject([{ code: "ECANCELED" }]);
  expect(opened).toEqual([]);
});
