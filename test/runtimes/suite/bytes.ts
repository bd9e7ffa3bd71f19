import { equal, random, sha256 } from "./check.js";
import { type Case, sh, utf8 } from "./context.js";

const MiB = 1024 * 1024;

export const byteCases: Case[] = [
  {
    name: "every byte value, both ways",
    async test({ run }) {
      const all = Uint8Array.from({ length: 256 }, (_, value) => value);
      equal((await run(["cat"], { stdin: all })).stdout, all);
    },
  },
  {
    name: "binary and UTF-8 split across chunks",
    async test({ client, flux, rx }) {
      // "é😀\n" and two bytes that are not UTF-8. The next is requested when the last has come back, so each is its own chunk.
      const bytes = [0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80, 0x0a, 0xff, 0xfe];
      const stdin = new rx.Subject<string>();
      let next = 0;
      const ask = () => {
        const byte = bytes[next++];
        if (byte === undefined) stdin.complete();
        else stdin.next(`${byte.toString(8)}\n`);
      };
      const output = client.exec(flux, sh('while read b; do printf "\\\\$b"; done'), { stdin }).pipe(
        rx.tap((event) => event.type === "started" && ask()),
        client.stdout(),
        rx.tap(ask),
      );
      const chunks = await rx.lastValueFrom(output.pipe(rx.toArray()));
      equal(
        chunks.map((chunk) => [...chunk]),
        bytes.map((byte) => [byte]),
      );
      const text = await rx.lastValueFrom(rx.from(chunks).pipe(client.text(), rx.toArray()));
      equal(text.join(""), "é😀\n\ufffd\ufffd");
      const lines = await rx.lastValueFrom(rx.from(chunks).pipe(client.lines(), rx.toArray()));
      equal(lines, ["é😀", "\ufffd\ufffd"]);
    },
  },
  {
    name: "stdin of 16 MiB",
    async test({ run }) {
      const bytes = random(16 * MiB);
      const { stdout } = await run(["sha256sum"], { stdin: bytes });
      equal(utf8(stdout), `${await sha256(bytes)}  -\n`);
    },
  },
  {
    name: "4 MiB of random bytes both ways, from a ReadableStream",
    async test({ run }) {
      const bytes = random(4 * MiB);
      const { stdout } = await run(["cat"], { stdin: new Blob([bytes]).stream() });
      equal([stdout.length, await sha256(stdout)], [bytes.length, await sha256(bytes)]);
    },
  },
  {
    name: "stdin of text, an Observable, an async iterable",
    async test({ run, rx }) {
      async function* pieces() {
        yield "hé";
        yield new TextEncoder().encode("llo");
      }
      for (const stdin of ["héllo", rx.from(["hé", "llo"]), pieces()]) {
        equal(utf8((await run(["cat"], { stdin })).stdout), "héllo");
      }
    },
  },
  {
    name: "a slow reader gets all output",
    async test({ client, flux }) {
      const child = client.spawn(flux, ["head", "-c", String(6 * MiB), "/dev/zero"]);
      const reader = child.stdout.getReader();
      let length = 0;
      for (let reads = 0; ; reads++) {
        if (reads === 1) await new Promise((resolve) => setTimeout(resolve, 200));
        const { done, value } = await reader.read();
        if (done) break;
        length += value.length;
      }
      equal([length, (await child.status).success], [6 * MiB, true]);
    },
  },
];
