/** Sends a client's first bytes to the target a second time, as a network that duplicates packets may. */
import type { Socket } from "node:net";
import type { Link } from "./link.js";

/** @param target a connection of its own @param until bytes of the target's answer to the client, after which the copy stops */
export function echo(client: Socket, link: Link, target: Socket, until: number): void {
  client.on("data", (data: Buffer) => {
    if (link.forwarded.down < until && target.writable) target.write(data);
  });
  // Reads and drops the answers, so that the target is not blocked.
  target.resume();
  target.on("error", () => {});
  void link.closed.then(() => target.destroy());
}
