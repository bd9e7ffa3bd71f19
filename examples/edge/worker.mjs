// A Cloudflare Worker that runs a permitted command through the proxy and streams its events as server-sent events.
// When the reader goes away, the process ends. While the reader is slow, the process waits.
//
//   FLUX_SUBPROCESS_URL=... FLUX_SUBPROCESS_TOKEN=... node examples/edge/serve.mjs
//   curl -N http://127.0.0.1:8787/run/clock
//
// wrangler.json lists the permitted commands. To deploy, set FLUX_SUBPROCESS_URL there to the proxy's URL, store the token with
// `wrangler secret put FLUX_SUBPROCESS_TOKEN`, and run `wrangler deploy`. Anyone with access to the Worker can run the permitted
// commands: put it behind Cloudflare Access or the like.
import { connect, exec, FluxError, toReadableStream } from "flux-subprocess";
import { filter, firstValueFrom, fromEvent, lastValueFrom, takeUntil, tap } from "rxjs";
import { parseRequest, Refusal } from "./commands.mjs";
import { serverSentEvents, withKeepalive } from "./events.mjs";

/** Milliseconds between SIGTERM and SIGKILL for a process whose reader has gone. */
const GRACE = 2000;
/** Milliseconds without an event before the Worker writes a comment, to find out whether the reader is still there. */
const QUIET = 5000;

export default {
  async fetch(request, env, context) {
    try {
      return await run(request, env, context);
    } catch (error) {
      if (error instanceof Refusal) return error.response;
      if (error instanceof FluxError) return new Response(`${error.message}\n`, { status: 502 });
      throw error;
    }
  },
};

async function run(request, env, context) {
  const { command, nodeid, encoding } = parseRequest(request, env.COMMANDS);
  // An EventSource whose stream has ended sends its request again. It must not run the command again, and stops at a 204.
  if (request.headers.has("last-event-id")) return new Response(null, { status: 204 });

  const flux = connect(env.FLUX_SUBPROCESS_URL, {
    token: env.FLUX_SUBPROCESS_TOKEN,
    // If the Worker disappears, its processes end after this time.
    grace: GRACE,
    // The reader gets the reason at once.
    retry: { first: false },
  });
  // Without waitUntil, the Worker ends as soon as its reader has gone.
  context.waitUntil(lastValueFrom(flux.status$));
  const { error } = await firstValueFrom(flux.status$.pipe(filter(({ state }) => state !== "connecting")));
  if (error) throw error;

  const close = () => flux.close();
  const events = exec(flux, command, { nodeid }).pipe(
    // Unsubscribing sends SIGTERM. The end of the session sends SIGKILL to processes that still run.
    tap({ complete: close, error: close, unsubscribe: () => setTimeout(close, GRACE) }),
    serverSentEvents(encoding),
    // workerd does not always cancel the body when the reader goes away, but it always aborts the signal.
    // https://github.com/cloudflare/workerd/issues/6832
    takeUntil(fromEvent(request.signal, "abort")),
  );
  return new Response(withKeepalive(toReadableStream(events), QUIET), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}
