// A Cloudflare Worker that runs a permitted command through the proxy and streams what it does as server-sent events.
// When the reader goes away, the process ends; while it reads slowly, the process waits.
//
//   FLUX_SUBPROCESS_URL=... FLUX_SUBPROCESS_TOKEN=... node examples/edge/serve.mjs
//   curl -N http://127.0.0.1:8787/run/clock
//
// wrangler.json says what is permitted. It is also what `wrangler deploy` takes, once FLUX_SUBPROCESS_URL is the
// proxy's and `wrangler secret put FLUX_SUBPROCESS_TOKEN` has been told the token. Who may reach the Worker may run what is
// permitted: it belongs behind Cloudflare Access or the like.
import { connect, exec, FluxError, toReadableStream } from "flux-subprocess";
import { filter, firstValueFrom, fromEvent, lastValueFrom, takeUntil, tap } from "rxjs";
import { Refused, requested } from "./commands.mjs";
import { keptAlive, serverSentEvents } from "./events.mjs";

/** Milliseconds between SIGTERM and SIGKILL for a process whose reader has gone. */
const GRACE = 2000;
/** Milliseconds of silence after which it is seen whether the reader is still there. */
const QUIET = 5000;

export default {
  async fetch(request, env, context) {
    try {
      return await run(request, env, context);
    } catch (error) {
      if (error instanceof Refused) return error.response;
      if (error instanceof FluxError) return new Response(`${error.message}\n`, { status: 502 });
      throw error;
    }
  },
};

async function run(request, env, context) {
  const { command, nodeid, encoding } = requested(request, env.COMMANDS);
  // An EventSource whose stream has ended asks again. That must not run the command again, and 204 tells it so.
  if (request.headers.has("last-event-id")) return new Response(null, { status: 204 });

  const flux = connect(env.FLUX_SUBPROCESS_URL, {
    token: env.FLUX_SUBPROCESS_TOKEN,
    // A Worker may be gone without a word. Then its processes are, after this.
    grace: GRACE,
  });
  // A Worker is over when its reader has gone, unless it says what there is to wait for.
  context.waitUntil(lastValueFrom(flux.status$));
  const { error } = await firstValueFrom(flux.status$.pipe(filter(({ state }) => state !== "connecting")));
  if (error) throw error;

  const close = () => flux.close();
  const events = exec(flux, command, { nodeid }).pipe(
    // Unsubscribing is SIGTERM. The end of the session is SIGKILL for what is left then.
    tap({ complete: close, error: close, unsubscribe: () => setTimeout(close, GRACE) }),
    serverSentEvents(encoding),
    // workerd may or may not cancel the body when the reader goes away; the signal is sure.
    // https://github.com/cloudflare/workerd/issues/6832
    takeUntil(fromEvent(request.signal, "abort")),
  );
  return new Response(keptAlive(toReadableStream(events), QUIET), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}
