// Submits a job of two nodes, follows its events and its output, and runs a command inside it.
//
//   FLUX_SUBPROCESS_URL=... FLUX_SUBPROCESS_TOKEN=... node examples/jobs.mjs [COMMAND...]
//
// The token must allow "rpc" and "stream" of job-ingest.submit, job-list.list-id and job-info.eventlog-watch, and "exec" and "write" of
// the job's service; docs/security.md has such a token. It needs a real Flux: the embedded broker has no jobs.
import { connect, exec, f58, job, lines, noneSigner, stdout } from "flux-subprocess";
import { concatMap, filter, firstValueFrom, from, lastValueFrom, map, merge, mergeMap, tap } from "rxjs";

const { FLUX_SUBPROCESS_URL: url, FLUX_SUBPROCESS_TOKEN: token } = process.env;
if (!url || !token) throw new Error("FLUX_SUBPROCESS_URL and FLUX_SUBPROCESS_TOKEN must be set");
const command =
  process.argv.length > 2 ? process.argv.slice(2) : ["sh", "-c", "echo task $FLUX_TASK_RANK; sleep 2"];

// A jobspec (RFC 25): one task on each of two nodes.
const jobspec = {
  version: 1,
  resources: [
    {
      type: "node",
      count: 2,
      with: [{ type: "slot", count: 1, label: "task", with: [{ type: "core", count: 1 }] }],
    },
  ],
  tasks: [{ command, slot: "task", count: { per_slot: 1 } }],
  attributes: { system: { duration: 60, cwd: "/tmp", environment: { PATH: "/usr/bin:/bin" } } },
};

// The flag of an eventlog that may be created later (flux-core, job.h).
const WAITCREATE = 1;

const flux = connect(url, { token, retry: { first: false } });
try {
  const { userid } = await firstValueFrom(flux.status$.pipe(filter(({ state }) => state === "open")));
  // Flux takes a jobspec that its user has signed (RFC 39). On an instance of several users: `await curveSigner({ key, userid })`.
  const J = await noneSigner(userid).sign(JSON.stringify(jobspec));
  const { id } = await flux.rpc("job-ingest.submit", { J, urgency: 16, flags: 0 });
  const name = f58(BigInt(id));
  console.log(`${name} is submitted`);

  // An entry of an eventlog (RFC 18) for each answer. The id goes back as it came: a number, or a BigInt if a number cannot hold it.
  const eventlog = (path, flags = 0) =>
    flux
      .rpc("job-info.eventlog-watch", { id, path, flags }, { streaming: true })
      .pipe(map(({ event }) => JSON.parse(event)));

  const events = eventlog("eventlog").pipe(
    tap((event) => console.log(`event: ${event.name}`)),
    filter((event) => event.name === "start"),
    // Inside of the job, once it runs.
    mergeMap(() => from(job(flux, id))),
    mergeMap((found) => exec(flux, ["echo", "a process inside"], found.node(1)).pipe(stdout(), lines())),
    tap((line) => console.log(`inside: ${line}`)),
  );

  const output = eventlog("guest.output", WAITCREATE).pipe(
    filter((event) => event.name === "data" && event.context.data !== undefined),
    concatMap(async ({ context: { stream, rank, data, encoding, repeat = 1 } }) => {
      const bytes = Buffer.from(data, encoding === "base64" ? "base64" : "utf8");
      for (let i = 0; i < repeat; i++) process.stdout.write(`${stream} of task ${rank}: ${bytes}`);
    }),
  );

  await lastValueFrom(merge(events, output), { defaultValue: undefined });
  console.log(`${name} is over`);
} catch (error) {
  const real = error.code === "ENOSYS" ? ". Jobs need a real Flux: this broker has no such service" : "";
  console.error(`${error.message}${real}`);
  process.exitCode = 1;
} finally {
  flux.close();
}
