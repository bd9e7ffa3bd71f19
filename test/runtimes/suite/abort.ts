import { equal, ok, rejection } from "./check.js";
import type { Case } from "./context.js";

export const abortCases: Case[] = [
  {
    name: "kill: the outcome is the signal",
    async test({ client, flux, rx }) {
      const events = client.exec(flux, ["sleep", "60"]).pipe(
        rx.tap((event) => {
          if (event.type === "started") client.kill(flux, { pid: event.pid, signum: "SIGINT" }).subscribe();
        }),
        client.collect(),
      );
      const { outcome } = await rx.firstValueFrom(events);
      equal(outcome, { kind: "signaled", signal: 2 });
    },
  },
  {
    name: "unsubscribing ends the process",
    async test({ started, gone }) {
      const { pid, stop } = await started(["sleep", "60"], { nodeid: 2 });
      stop();
      await gone(pid, 2);
    },
  },
  {
    name: "an AbortSignal ends the process, and its reason is the error",
    async test({ started, gone }) {
      const controller = new AbortController();
      const { pid, ended } = await started(["sleep", "60"], { signal: controller.signal });
      const reason = new Error("enough");
      controller.abort(reason);
      ok((await ended) === reason, "it errors with the reason");
      await gone(pid);
    },
  },
  {
    name: "AbortSignal.timeout is a TimeoutError",
    async test({ client, flux, rx }) {
      const events = client.exec(flux, ["sleep", "60"], { signal: AbortSignal.timeout(100) });
      equal(((await rejection(rx.lastValueFrom(events))) as Error).name, "TimeoutError");
    },
  },
  {
    name: "a call whose signal is already aborted is not sent",
    async test({ client, flux, rx }) {
      const label = `never-${crypto.randomUUID()}`;
      const signal = AbortSignal.abort();
      const aborted = [
        rx.lastValueFrom(client.exec(flux, ["sleep", "60"], { label, signal })),
        rx.lastValueFrom(client.attach(flux, { label, signal })),
        client.rexecBg(flux, ["sleep", "60"], { label, signal }).get(),
        client.kill(flux, { label, signal }).get(),
        client.wait(flux, { label, signal }).get(),
        client.list(flux, { signal }).get(),
        flux.rpc("attr.get", { name: "size" }, { signal }).get(),
      ];
      for (const call of aborted) equal(((await rejection(call)) as Error).name, "AbortError");
      const child = client.spawn(flux, ["sleep", "60"], { label, signal });
      equal(((await rejection(child.status)) as { code: string }).code, "ECANCELED");
      const listed = await client.list(flux).getProcesses();
      ok(!listed.some((process) => process.label === label), "nothing was started");
    },
  },
  {
    name: "spawn: an AbortSignal ends the process, and the status has its outcome",
    async test({ client, flux }) {
      const controller = new AbortController();
      const child = client.spawn(flux, ["sleep", "60"], { signal: controller.signal });
      await child.pid;
      controller.abort();
      equal(await child.status, { success: false, code: 143, signal: "SIGTERM" });
    },
  },
];
