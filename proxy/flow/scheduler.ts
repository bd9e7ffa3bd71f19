/**
 * Long work in turns, for all sessions of a proxy: each job does a little and makes room for the next job, and all
 * jobs together make room for other events.
 */
import { Fifo } from "./fifo.js";

/** Work that is done in turns. */
export interface Job {
  /** Does a little. @returns whether there is more to do */
  turn(): boolean;
}

/** The time for jobs in one turn of the event loop, in milliseconds. */
const TURN_MS = 4;

/** Gives turns to the calls and watches of all sessions. */
export class Scheduler {
  readonly #ready = new Fifo<Job>();
  /** The time left for jobs in this turn of the event loop, in milliseconds. At most `TURN_MS`; negative after a long turn of a job. */
  #left = TURN_MS;
  #running = false;
  #pending = false;

  /** Runs a job until it has nothing more to do: now, if no other waits and there is time left, and then in turns. */
  add(job: Job): void {
    this.#ready.push(job);
    if (!this.#running && this.#ready.length === 1) this.#run();
  }

  #run(): void {
    this.#running = true;
    const began = performance.now();
    try {
      while (performance.now() - began < this.#left) {
        const job = this.#ready.shift();
        if (job === undefined) break;
        if (job.turn()) this.#ready.push(job);
      }
    } finally {
      this.#running = false;
      this.#left -= performance.now() - began;
      this.#resume();
    }
  }

  /** The time that was used is given back with the next turn of the event loop. */
  #resume(): void {
    if (this.#pending) return;
    this.#pending = true;
    setImmediate(() => {
      this.#pending = false;
      this.#left = TURN_MS;
      if (this.#ready.length > 0) this.#run();
    });
  }
}
