// Code of users, for the compiler alone. It must compile with the types of any runtime.

import {
  collect,
  connect,
  curveSigner,
  exec,
  FluxError,
  keyProof,
  list,
  type ProcessEvent,
  spawn,
  stdout,
  toReadableStream,
  values,
} from "flux-subprocess";
import { firstValueFrom } from "rxjs";

export async function main(signal: AbortSignal): Promise<string> {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  if (!("privateKey" in pair)) return "";
  const signer = await curveSigner({ key: pair, userid: 1 });
  await using flux = connect("wss://host/", { token: async () => "token", signer, prove: keyProof(pair) });
  const events = exec(flux, ["a"], { nodeid: "all", stdin: new ReadableStream<Uint8Array>(), signal });
  const types: ProcessEvent["type"][] = [];
  for await (const { type } of values(events)) types.push(type);
  const body: ReadableStream<Uint8Array> = toReadableStream(events.pipe(stdout()));
  await body.cancel();
  const child = spawn(flux, ["a"]);
  await child.stdin.getWriter().write("x");
  // @ts-expect-error: a command is an array
  exec(flux, "a");
  // @ts-expect-error: pid or label, not neither
  list(flux, { pid: 1 });
  try {
    const ended = await firstValueFrom(events.pipe(collect()));
    // @ts-expect-error: a failed rank has no output
    void ended.stdout;
    if (ended.error) return ended.error.code;
    const { outcome } = ended;
    return outcome.kind === "exited" ? String(outcome.code) : outcome.kind;
  } catch (error) {
    return error instanceof FluxError ? error.code : "";
  }
}
