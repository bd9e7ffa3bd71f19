import { name } from "../protocol/checks.js";

/** A value of {@link sh}: one word, or several. */
export type ShellValue = string | number | bigint | readonly (string | number | bigint)[];

/**
 * Makes a command that a POSIX shell runs. Each value of the script is quoted: it is one word, whatever its characters are. An array is
 * several words, or none. The script around the values may have pipes, variables and all else of the shell.
 *
 * A value stands where a word can stand, or a part of one, and brings its own quotes: `echo ${name}`, not `echo "${name}"`. Where the
 * shell would read it in another way, inside of quotes, a comment, `((`, or after `<<`, it is refused.
 *
 * @param script text, as in any template
 * @param values the words
 * @returns `["sh", "-c", script]`, for {@link exec}, {@link spawn} and {@link rexecBg}
 * @throws TypeError if a value has another type or a NUL character, or stands where it cannot be quoted
 *
 * @example
 * ```ts
 * const words = ["it's $HOME", "; rm -rf ."];
 * const { stdout } = await spawn(flux, sh`printf '%s|' ${words} | tr a-z A-Z`).output({ text: true });
 * console.log(stdout); // IT'S $HOME|; RM -RF .|
 * ```
 */
export function sh(script: TemplateStringsArray, ...values: readonly ShellValue[]): [string, string, string] {
  const place = new Place();
  const parts = script.map((text, i) => {
    if (i === script.length - 1) return text;
    place.read(text);
    if (place.inQuotes) {
      throw new TypeError(
        `value ${i + 1} of sh stands in quotes, a comment, "((" or after "<<": it quotes itself`,
      );
    }
    return text + quoted(values[i] as ShellValue, `value ${i + 1} of sh`);
  });
  const text = parts.join("");
  // The shell would read it as options.
  return ["sh", "-c", /^[-+]/.test(text) ? ` ${text}` : text];
}

function quoted(value: ShellValue, what: string): string {
  if (Array.isArray(value))
    return value.map((each: string | number | bigint) => quoted(each, what)).join(" ");
  if (!["string", "number", "bigint"].includes(typeof value)) {
    throw new TypeError(`${what} is not a string, a number or an array of these`);
  }
  const word = String(value);
  if (word !== "" && name(word)) throw new TypeError(`${what} ${name(word)}`);
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The end of quotes that this file does not find. */
const NEVER = "never";

/** The place in a script (POSIX.1-2024, Shell Command Language, 2.2 and 2.3). If it is not certain, the place is in quotes. */
class Place {
  /** The character that ends the quotes or the comment; "" outside of both. */
  #end = "";
  /** The last character, or "x" for one that does not end a word. */
  #last = "\n";

  /** True if a value here would not be a word. */
  get inQuotes(): boolean {
    return this.#end !== "";
  }

  /** Reads text, and a value after it. */
  read(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const character = text[i] as string;
      const two = text.slice(i, i + 2);
      if (this.#end === NEVER) return;
      if (character === "\\" && this.#end !== "'" && this.#end !== "\n") {
        // A backslash would take the quote of the value.
        if (two.length < 2) this.#end = NEVER;
        else if (two !== "\\\n") this.#last = "x";
        i++;
      } else if (this.#end !== "") {
        if (character === this.#end) this.#close(character);
        else if (this.#end === '"' && ["`", "$(", "${"].some((nested) => two.startsWith(nested)))
          this.#end = NEVER;
      } else if (two === "<<" || two === "((" || two === "$'") {
        this.#end = NEVER;
      } else {
        if ("'\"`".includes(character)) this.#end = character;
        else if (character === "#" && " \t\n;&|()<>".includes(this.#last)) this.#end = "\n";
        this.#last = character;
      }
    }
    if (this.#end === "") this.#last = "x";
  }

  #close(character: string): void {
    this.#end = "";
    this.#last = character === "\n" ? character : "x";
  }
}
