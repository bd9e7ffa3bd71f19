import { equal, ok } from "./check.js";
import { type Case, sh, utf8 } from "./context.js";

export const interopCases: Case[] = [
  {
    name: "toReadableStream: the body of a Response",
    async test({ client, flux }) {
      const output = client.exec(flux, sh("echo one; echo two")).pipe(client.stdout());
      equal(await new Response(client.toReadableStream(output)).text(), "one\ntwo\n");
    },
  },
  {
    name: "toReadableStream: cancelling it ends the process",
    async test({ client, flux, rx, gone }) {
      let pid = 0;
      const endless = client.exec(flux, ["yes"]).pipe(
        rx.tap((event) => {
          if (event.type === "started") pid = event.pid;
        }),
        client.stdout(),
      );
      const reader = client.toReadableStream(endless).getReader();
      const { value } = await reader.read();
      ok(value && utf8(value).startsWith("y\ny\n"), "it has begun");
      await reader.cancel();
      await gone(pid);
    },
  },
  {
    name: "for await: leaving the loop ends the process",
    async test({ client, flux, rx, gone }) {
      let pid = 0;
      const lines: string[] = [];
      const numbers = client.exec(flux, sh("n=0; while :; do n=$((n+1)); echo $n; sleep 0.02; done")).pipe(
        rx.tap((event) => {
          if (event.type === "started") pid = event.pid;
        }),
        client.stdout(),
        client.lines(),
      );
      for await (const line of client.values(numbers)) {
        lines.push(line);
        if (line === "3") break;
      }
      equal(lines, ["1", "2", "3"]);
      await gone(pid);
    },
  },
  {
    name: "pipes through the streams of the runtime",
    async test({ client, flux, run }) {
      const bytes = new TextEncoder().encode("the same words again and again ".repeat(4000));
      const zipped = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
      const { stdout } = await run(["gunzip", "-c"], { stdin: zipped });
      equal(stdout, bytes);
      const output = client.exec(flux, ["gzip", "-c"], { stdin: bytes }).pipe(client.stdout());
      const plain = (client.toReadableStream(output) as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
        new DecompressionStream("gzip"),
      );
      equal(new Uint8Array(await new Response(plain).arrayBuffer()), bytes);
    },
  },
];
