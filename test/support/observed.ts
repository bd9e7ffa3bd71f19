/** A process's entry in /proc (proc_pid_stat(5) and others). Every property throws once the process is gone. */
import { readdirSync, readFileSync } from "node:fs";

export class Observed {
  constructor(readonly pid: number) {}

  /** The process's memory in RAM, in bytes. */
  get rss(): number {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8")) ?? [];
    return Number(kib) * 1024;
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** The state's letter: "T" for a stopped process. */
  get state(): string {
    return this.#stat(3);
  }

  /** The processor time so far, in milliseconds: utime and stime, in ticks of 10 ms. */
  get cpu(): number {
    return (Number(this.#stat(14)) + Number(this.#stat(15))) * 10;
  }

  /** The start time, in ticks since the machine's boot. A reused pid has another start time. */
  get since(): string {
    return this.#stat(22);
  }

  /** A field of `stat` by its number in the manual, from 3. The second field may contain spaces. */
  #stat(field: number): string {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[field - 3] ?? "";
  }
}
