import { equal, ok } from "./check.js";
import { type Case, sh, utf8 } from "./context.js";

export const verbCases: Case[] = [
  {
    name: "exec: started, output, the ends of both streams, the outcome",
    async test({ client, flux, rx }) {
      const events$ = client.exec(flux, sh("echo out; echo err >&2; exit 3"), { nodeid: 1 });
      const events = await rx.lastValueFrom(events$.pipe(rx.toArray()));
      equal(events[0]?.type, "started");
      const rest = events.slice(1).map((event) => (event.type === "output" ? utf8(event.data) : event.type));
      equal(rest.sort(), ["eof", "eof", "err\n", "finished", "out\n"]);
      equal(
        events.find(({ type }) => type === "finished"),
        { type: "finished", rank: 1, outcome: { kind: "exited", code: 3 } },
      );
    },
  },
  {
    name: "exec: label, directory and environment",
    async test({ run }) {
      const env = { PATH: "/usr/bin:/bin", GREETING: "grüß dich" };
      const { stdout } = await run(sh('pwd; echo "$GREETING"'), { cwd: "/usr", env, label: "here" });
      equal(utf8(stdout), "/usr\ngrüß dich\n");
    },
  },
  {
    name: "exec on every rank is one stream of events",
    async test({ client, flux, rx, world }) {
      const command = sh('echo "$FLUX_URI"; exec cat');
      const events = client.exec(flux, command, { nodeid: "all", stdin: "the same for all" });
      const all = await rx.lastValueFrom(events.pipe(client.collect(), rx.toArray()));
      const ranks = Array.from({ length: world.size }, (_, rank) => rank);
      equal(
        all.map((each) => [
          each.rank,
          each.error ?? utf8(each.stdout).replace(/^local:.*-(\d+)$/m, "of broker $1"),
        ]),
        ranks.map((rank) => [rank, `of broker ${rank}\nthe same for all`]),
      );
    },
  },
  {
    name: "exec on several ranks: the failure of one does not hide the others",
    async test({ client, flux, rx }) {
      const script = 'case "$FLUX_URI" in *-1) exit 9;; esac; exit 0';
      const events = client.exec(flux, sh(script), { nodeid: "0-1" });
      const all = await rx.lastValueFrom(events.pipe(client.collect(), rx.toArray()));
      equal(
        all.map((each) => each.error ?? each.outcome),
        [
          { kind: "exited", code: 0 },
          { kind: "exited", code: 9 },
        ],
      );
    },
  },
  {
    name: "spawn: streams both ways",
    async test({ client, flux }) {
      const child = client.spawn(flux, ["tr", "a-z", "A-Z"]);
      ok((await child.pid) > 1, "it has a pid");
      const writer = child.stdin.getWriter();
      await writer.write("hello ");
      await writer.write(new TextEncoder().encode("world"));
      await writer.close();
      equal(await new Response(child.stdout).text(), "HELLO WORLD");
      equal(await child.status, { success: true, code: 0, signal: null });
    },
  },
  {
    name: "spawn: kill and all output",
    async test({ client, flux }) {
      const sleeper = client.spawn(flux, ["sleep", "60"]);
      await sleeper.kill("SIGKILL");
      equal(await sleeper.status, { success: false, code: 137, signal: "SIGKILL" });
      const { stdout, stderr, code } = await client.spawn(flux, sh("echo a; echo b >&2; exit 4")).output();
      equal([utf8(stdout), utf8(stderr), code], ["a\n", "b\n", 4]);
    },
  },
  {
    name: "write: input while the process runs",
    async test({ client, flux, rx }) {
      const lines: string[] = [];
      await new Promise<void>((resolve, reject) => {
        client.exec(flux, sh('read line; echo "got $line"; cat'), { stdin: rx.NEVER }).subscribe({
          next: (event) => {
            if (event.type === "output") lines.push(utf8(event.data));
            if (event.type !== "started") return;
            const send = async () => {
              await client.write(flux, event, "one\n").get();
              await client.write(flux, event, "two\n", { eof: true }).get();
            };
            send().catch(reject);
          },
          error: reject,
          complete: resolve,
        });
      });
      equal(lines.join(""), "got one\ntwo\n");
    },
  },
  {
    name: "rexecBg, list, kill, wait: a process in background",
    async test({ client, flux }) {
      const label = `background-${crypto.randomUUID()}`;
      const script = sh("echo kept; exec sleep 60");
      const started = client.rexecBg(flux, script, { label, waitable: true, nodeid: 1 });
      const [pid, rank] = [await started.getPid(), await started.getRank()];
      equal(rank, 1);
      const listed = await client.list(flux, { nodeid: 1 }).getProcesses();
      const found = listed.find((process) => process.pid === pid);
      equal([found?.label, found?.state, found?.rank], [label, "R", 1]);
      await client.kill(flux, { label, nodeid: 1, signum: "SIGTERM" }).get();
      const waited = client.wait(flux, { label, nodeid: 1 });
      equal(await waited.getStatus(), 15);
      equal(await waited.getOutcome(), { kind: "signaled", signal: 15 });
    },
  },
  {
    name: "attach: follows a background process, and detaches",
    async test({ client, flux, rx }) {
      const label = `attached-${crypto.randomUUID()}`;
      await client.rexecBg(flux, sh("while :; do echo tick; sleep 0.05; done"), { label }).getPid();
      const ticks = client.attach(flux, { label }).pipe(client.stdout(), client.lines(), rx.take(2));
      equal(await rx.lastValueFrom(ticks.pipe(rx.toArray())), ["tick", "tick"]);
      const listed = await client.list(flux).getProcesses();
      ok(
        listed.some((process) => process.label === label),
        "it still runs",
      );
      const { pid } = listed.find((process) => process.label === label) as { pid: number };
      await client.kill(flux, { pid, signum: 9 }).get();
    },
  },
];
