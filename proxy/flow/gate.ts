/** One inflow that several may hold back. It goes on when none of them does any more. */

/** The side of the WebSocket that the client sends on. */
export interface Inflow {
  /** Stops and resumes taking messages from the client. */
  pause(): void;
  resume(): void;
}

export class Gate {
  readonly #inflow: Inflow;
  #held = 0;

  constructor(inflow: Inflow) {
    this.#inflow = inflow;
  }

  /** An inflow for one of those who may hold back. */
  lever(): Inflow {
    let pulled = false;
    return {
      pause: () => {
        if (pulled) return;
        pulled = true;
        if (this.#held++ === 0) this.#inflow.pause();
      },
      resume: () => {
        if (!pulled) return;
        pulled = false;
        if (--this.#held === 0) this.#inflow.resume();
      },
    };
  }
}
