/** What /proc says of a process (proc_pid_stat(5) and its neighbours). Every property throws once it is not there any more. */
import { readdirSync, readFileSync } from "node:fs";

export class Observed {
  constructor(readonly pid: number) {}

  /** The memory that it has in RAM, in bytes. */
  get rss(): number {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8")) ?? [];
    return Number(kib) * 1024;
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** "T" where it is stopped. */
  get state(): string {
    return this.#stat(3);
  }

  /** The processor time that it has used, in milliseconds: utime and stime, in ticks of 10 ms. */
  get cpu(): number {
    return (Number(this.#stat(14)) + Number(this.#stat(15))) * 10;
  }

  /** When it was started, in ticks since the machine was. A pid may be used again, with another start time. */
  get since(): string {
    return this.#stat(22);
  }

  /** A field of its stat by its number in the manual. What is before the third may have spaces in it. */
  #stat(field: number): string {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[field - 3] ?? "";
  }
}
