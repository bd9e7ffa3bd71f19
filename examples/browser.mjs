// The script of browser.html. A browser does not send the fragment to a server. This script also removes it from the address bar
// and the history.
import { connect, describeOutcome, exec, lines } from "flux-subprocess";
import {
  catchError,
  defer,
  EMPTY,
  fromEvent,
  groupBy,
  map,
  mergeMap,
  of,
  switchMap,
  takeUntil,
  tap,
} from "rxjs";

const form = document.querySelector("form");
const { url, token, script, nodeid, stop } = form.elements;
const output = document.querySelector("#output");

for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  for (const field of [url, token, script, nodeid]) if (field.name === name) field.value = value;
}
history.replaceState(null, "", location.pathname);

/** The connection of the latest run. It stays open after Stop, so that the process gets SIGTERM and time to exit. */
let flux;

/** Runs the command. Stop and the next Run unsubscribe, which ends it. */
function runCommand() {
  output.replaceChildren();
  flux?.close();
  flux = connect(url.value, { token: token.value, retry: { first: false } });
  return exec(flux, ["sh", "-c", script.value], { nodeid: nodeid.value }).pipe(
    // One decoder for each stream of each rank, since a chunk may end within a character.
    groupBy((event) => (event.type === "output" ? `${event.rank} ${event.stream}` : "notes")),
    mergeMap((events) => (events.key === "notes" ? events.pipe(mergeMap(note)) : outputLines(events))),
    takeUntil(fromEvent(stop, "click")),
  );
}

function failure(error) {
  return of({ text: error.message, className: "stderr" });
}

function outputLines(events) {
  const [rank, className] = events.key.split(" ");
  return events.pipe(
    map((event) => event.data),
    lines(),
    map((line) => ({ text: `${rank}: ${line}`, className })),
  );
}

function note(event) {
  if (event.type === "finished") {
    return of({ text: `rank ${event.rank}: process ${describeOutcome(event.outcome)}`, className: "note" });
  }
  if (event.type === "error") {
    return of({ text: `rank ${event.rank}: ${event.error.message}`, className: "stderr" });
  }
  return EMPTY;
}

function print({ text, className }) {
  const line = document.createElement("div");
  line.className = className;
  line.textContent = text;
  output.append(line);
}

fromEvent(form, "submit")
  .pipe(
    tap((event) => event.preventDefault()),
    switchMap(() => defer(runCommand).pipe(catchError(failure))),
  )
  .subscribe(print);
