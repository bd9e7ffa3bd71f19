/** The commands of this tab. They last until it closes. */
import { recall, remember } from "./storage.js";

const KEY = "flux-subprocess.history";
const MOST = 100;
const storage = () => sessionStorage;

export class History {
  readonly #lines: string[];
  #at: number;
  /** The field's text from before the first arrow key. */
  #draft = "";

  constructor() {
    this.#lines = recall(storage, KEY, isLines) ?? [];
    this.#at = this.#lines.length;
  }

  add(line: string): void {
    const before = this.#lines.indexOf(line);
    if (before >= 0) this.#lines.splice(before, 1);
    this.#lines.push(line);
    this.#lines.splice(0, this.#lines.length - MOST);
    this.#at = this.#lines.length;
    this.#draft = "";
    remember(storage, KEY, this.#lines);
  }

  /** @param by -1 for the line before, 1 for the line after @param current the field's text */
  step(by: -1 | 1, current: string): string {
    if (this.#at === this.#lines.length) this.#draft = current;
    this.#at = Math.max(0, Math.min(this.#lines.length, this.#at + by));
    return this.#lines[this.#at] ?? this.#draft;
  }
}

function isLines(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((line) => typeof line === "string");
}
