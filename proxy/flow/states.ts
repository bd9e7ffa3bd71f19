/** States that a client is sent in their latest form, in turns. */
import type { ControlMessage } from "./message.js";

/** Something that changes: the client is sent its latest state, and not every change. */
export interface State {
  /** The message that states it; undefined if the client knows the latest state. */
  next(): ControlMessage | undefined;
}

/** The states that may have changed. Each has its turn before any has a second one. */
export class ChangedStates {
  readonly #states = new Set<State>();
  /** Iterates `#states`, also over states that are added meanwhile. */
  #turn = this.#states.values();

  /** True if none waits. */
  get empty(): boolean {
    return this.#states.size === 0;
  }

  /** Adds a state; one that waits keeps its turn. */
  add(state: State): void {
    this.#states.add(state);
  }

  /** A state is not to be sent any more. */
  delete(state: State): void {
    this.#states.delete(state);
  }

  /** Takes the state whose turn it is. Not for {@link empty}. @returns the message that states it; undefined if the client knows it */
  next(): ControlMessage | undefined {
    let { value: state } = this.#turn.next();
    if (state === undefined) {
      this.#turn = this.#states.values();
      state = this.#turn.next().value as State;
    }
    this.#states.delete(state);
    return state.next();
  }
}
