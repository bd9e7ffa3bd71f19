/** Messages to a client, before the outbox numbers them. */
import type { SequencedServerMessage } from "../../src/protocol/messages.js";

type Unnumbered<T> = T extends unknown ? Omit<T, "seq"> : never;

/** A message without process bytes. */
export type ControlMessage = Unnumbered<SequencedServerMessage>;
