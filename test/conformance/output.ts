import { createHash } from "node:crypto";
import { firstValueFrom, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { exec, lines, stdout, text } from "../../src/index.js";
import { collectEvents, run, sh, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function outputCases(context: Context): void {
  describe("output", () => {
    it("has exactly the bytes that the process wrote", async () => {
      const octal = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(
        "",
      );
      const { stdout } = await run(context.flux, ["printf", octal]);
      expect([...stdout]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
    });

    it("keeps NUL bytes and text of all planes", async () => {
      const { stdout } = await run(context.flux, ["printf", "a\\000b\\303\\251\\360\\237\\230\\200\\n"]);
      expect(utf8(stdout)).toBe("a\0bé😀\n");
    });

    it("decodes characters that are split between chunks", async () => {
      const script = "printf '\\360\\237'; sleep 0.2; printf '\\230\\200\\n'";
      const pieces = await lastValueFrom(exec(context.flux, sh(script)).pipe(stdout(), text(), toArray()));
      expect(pieces.join("")).toBe("😀\n");
    });

    it("comes as lines on request", async () => {
      const seq = exec(context.flux, ["seq", "1", "20000"]).pipe(stdout(), lines(), toArray());
      const expected = Array.from({ length: 20000 }, (_, i) => String(i + 1));
      expect(await firstValueFrom(seq)).toEqual(expected);
    });

    it("comes as one line for each message if the opts set it", async () => {
      const events = await collectEvents(context.flux, ["seq", "1", "5"], {
        opts: { stdout_LINE_BUFFER: "true" },
      });
      const output = events.flatMap((event) => (event.type === "output" ? [utf8(event.data)] : []));
      expect(output).toEqual(["1\n", "2\n", "3\n", "4\n", "5\n"]);
    });

    it("carries 32 MiB of random bytes unchanged", async () => {
      const script =
        "f=$(mktemp) && head -c 33554432 /dev/urandom >$f && cat $f >&2 && sha256sum <$f; rm -f $f";
      const hash = createHash("sha256");
      let digest = "";
      let bytes = 0;
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, sh(script)).subscribe({
          next: (event) => {
            if (event.type !== "output") return;
            if (event.stream === "stderr") {
              hash.update(event.data);
              bytes += event.data.length;
            } else digest += utf8(event.data);
          },
          error: reject,
          complete: resolve,
        });
      });
      expect(bytes).toBe(33554432);
      expect(`${hash.digest("hex")}  -\n`).toBe(digest);
    });

    it("may come after the process has ended, and is waited for", async () => {
      const { stdout, outcome } = await run(context.flux, sh("(sleep 0.3; echo late) & exit 4"));
      expect(utf8(stdout)).toBe("late\n");
      expect(outcome).toEqual({ kind: "exited", code: 4 });
    });

    it("comes from auxiliary channels", async () => {
      const events = await collectEvents(
        context.flux,
        ["bash", "--norc", "-c", "echo via-channel >&$FLUXCH"],
        {
          channels: ["FLUXCH"],
        },
      );
      const output = events.flatMap((event) =>
        event.type === "output" ? [[event.stream, utf8(event.data)]] : [],
      );
      expect(output).toEqual([["FLUXCH", "via-channel\n"]]);
      expect(events).toContainEqual({ type: "eof", rank: 0, stream: "FLUXCH" });
    });
  });
}
