import { type Flux, type ProcessEvent, wait } from "flux-subprocess";
import { defer, from, mergeMap, type Observable } from "rxjs";

/** A wait as process events. After the process's end come the output that the broker has retained, and the outcome. */
export function waitEvents(flux: Flux, pid: number, rank: number): Observable<ProcessEvent> {
  const events = async (): Promise<ProcessEvent[]> => {
    const answer = wait(flux, { pid, nodeid: rank });
    const outcome = await answer.getOutcome();
    const output = async (stream: "stdout" | "stderr"): Promise<ProcessEvent[]> => [
      { type: "output", rank, stream, data: await answer[stream] },
      { type: "eof", rank, stream },
    ];
    return [...(await output("stdout")), ...(await output("stderr")), { type: "finished", rank, outcome }];
  };
  return defer(() => from(events())).pipe(mergeMap((all) => all));
}
