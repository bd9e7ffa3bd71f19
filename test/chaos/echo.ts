/** Says to the target again what a client says in the beginning, as a network does that delivers twice. */
import type { Socket } from "node:net";
import type { Link } from "./link.js";

/** @param target a connection for this alone. @param until the target has answered the client with so many bytes */
export function echo(client: Socket, link: Link, target: Socket, until: number): void {
  client.on("data", (data: Buffer) => {
    if (link.forwarded.down < until && target.writable) target.write(data);
  });
  // Its answers are read, so that the target is not held up, and are nobody's.
  target.resume();
  target.on("error", () => {});
  void link.closed.then(() => target.destroy());
}
