import {
  defer,
  delay,
  firstValueFrom,
  from,
  lastValueFrom,
  type Observable,
  of,
  retry,
  switchMap,
  throwError,
  timeout,
} from "rxjs";
import { describe, expect, it } from "vitest";
import { Rpc } from "../../src/index.js";
import { marbles } from "./support.js";

describe("Rpc", () => {
  it("sends once, at the first use, and shares the answer with all subscribers, also late ones", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const send = cold("--(a|)");
      const rpc = new Rpc(send);
      expectObservable(rpc, "-^").toBe("---(a|)");
      expectObservable(rpc, "--^").toBe("---(a|)");
      expectObservable(rpc, "-------^").toBe("-------(a|)");
      expectSubscriptions(send.subscriptions).toBe("-^-!");
    });
  });

  it("continues without subscribers, and shares the answer that came meanwhile", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const send = cold("---(a|)");
      const rpc = new Rpc(send);
      expectObservable(rpc, "^!").toBe("-");
      expectObservable(rpc, "-----^").toBe("-----(a|)");
      expectSubscriptions(send.subscriptions).toBe("^--!");
    });
  });

  it("gives an error to all that wait, does not keep it, and sends again at the next use", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answers = [cold("--#"), cold("--(a|)")];
      let sent = 0;
      const rpc = new Rpc(defer(() => answers[sent++] ?? []));
      expectObservable(rpc, "^").toBe("--#");
      expectObservable(rpc, "-^").toBe("--#");
      expectObservable(rpc, "----^").toBe("------(a|)");
      expectObservable(rpc, "---------^").toBe("---------(a|)");
      expectSubscriptions(answers[0]?.subscriptions ?? []).toBe("^-!");
      expectSubscriptions(answers[1]?.subscriptions ?? []).toBe("----^-!");
    });
  });

  it("is sent again by retry, once for all that retry at the same time", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answers = [cold("-#"), cold("-#"), cold("-(a|)")];
      let sent = 0;
      const rpc = new Rpc(defer(() => answers[sent++] ?? []));
      expectObservable(rpc.pipe(retry({ count: 2, delay: 2 }))).toBe("-------(a|)");
      expectObservable(rpc.pipe(retry({ count: 2, delay: 2 }))).toBe("-------(a|)");
      expectSubscriptions(answers[0]?.subscriptions ?? []).toBe("^!");
      expectSubscriptions(answers[1]?.subscriptions ?? []).toBe("---^!");
      expectSubscriptions(answers[2]?.subscriptions ?? []).toBe("------^!");
    });
  });

  it("survives one subscriber's timeout, and still answers that subscriber later", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const send = cold("-----(a|)");
      const rpc = new Rpc(send);
      const impatient = rpc.pipe(timeout({ each: 2, with: () => of("late") }));
      expectObservable(impatient).toBe("--(x|)", { x: "late" });
      expectObservable(rpc, "---^").toBe("-----(a|)");
      expectSubscriptions(send.subscriptions).toBe("^----!");
    });
  });

  it("get resolves to the answer, or rejects with the error", async () => {
    let sent = 0;
    const error = new Error("refused");
    const rpc = new Rpc(
      defer(async () => {
        sent++;
        if (sent === 1) throw error;
        return sent;
      }),
    );
    await expect(rpc.get()).rejects.toBe(error);
    expect(await Promise.all([rpc.get(), rpc.get()])).toEqual([2, 2]);
    expect(await rpc.get()).toBe(2);
  });
});

describe("an awaited Rpc", () => {
  const counted = (answers: (() => Observable<string>)[]) => {
    let sent = 0;
    const rpc = new Rpc(defer(() => (answers[sent++] as () => Observable<string>)()));
    return { rpc, sent: () => sent };
  };

  it("is sent once, whatever else uses it", async () => {
    const { rpc, sent } = counted([() => of("a").pipe(delay(1))]);
    expect(sent()).toBe(0);
    expect(await rpc).toBe("a");
    expect(await Promise.all([rpc, rpc.get(), lastValueFrom(rpc), firstValueFrom(from(rpc))])).toEqual([
      ...["a", "a", "a", "a"],
    ]);
    expect(await lastValueFrom(of(1).pipe(switchMap(() => rpc)))).toBe("a");
    expect(await (async () => rpc)()).toBe("a");
    expect(sent()).toBe(1);
  });

  it("rejects with the error, and is sent again by the next await", async () => {
    const { rpc, sent } = counted([() => throwError(() => new Error("lost")), () => of("a")]);
    await expect((async () => await rpc)()).rejects.toThrow("lost");
    expect(await rpc).toBe("a");
    expect(sent()).toBe(2);
  });

  it("takes the two handlers of a promise", async () => {
    const { rpc } = counted([() => throwError(() => new Error("lost")), () => of("a")]);
    expect(await rpc.then(null, (error) => (error as Error).message)).toBe("lost");
    expect(await rpc.then((answer) => `${answer}!`)).toBe("a!");
  });
});
