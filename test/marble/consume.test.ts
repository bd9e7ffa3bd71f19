import { delay, of, Subject, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { consume, lines, text } from "../../src/index.js";
import { deliver } from "../../src/session/consumption.js";
import { bytes } from "../support/peer.js";
import { marbles } from "./support.js";

describe("consume", () => {
  it("emits and unsubscribes like concatMap", () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const inner = cold("--x--y|");
      const source = hot("-a-b----|");
      expectObservable(source.pipe(consume(() => inner))).toBe("---x--y--x--y|");
      expectSubscriptions(inner.subscriptions).toBe(["-^-----!", "-------^-----!"]);
      expectSubscriptions(source.subscriptions).toBe("^-------!");
    });
  });

  it("forwards the errors of its source and of its inner Observables", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("-a-#");
      expectObservable(source.pipe(consume((value) => of(value)))).toBe("-a-#");
      const failing = cold("-a-b");
      expectObservable(failing.pipe(consume(() => throwError(() => "error")))).toBe("-#");
      expectSubscriptions(failing.subscriptions).toBe("^!");
    });
  });

  it("counts a value as consumed when its inner Observable completes, and not before", () => {
    const source = new Subject<string>();
    const done: Subject<void>[] = [];
    const consumed: string[] = [];
    const subscription = source
      .pipe(
        consume(() => {
          const inner = new Subject<void>();
          done.push(inner);
          return inner;
        }),
      )
      .subscribe();
    for (const value of ["a", "b", "c"])
      deliver(
        () => source.next(value),
        () => consumed.push(value),
      );
    expect(consumed).toEqual([]);
    done[0]?.complete();
    expect(consumed).toEqual(["a"]);
    // An unsubscription counts all waiting values as consumed.
    subscription.unsubscribe();
    expect(consumed.sort()).toEqual(["a", "b", "c"]);
  });

  it("finds a value's source behind operators that emit synchronously, also for each part of it", () => {
    const source = new Subject<Uint8Array>();
    const done: Subject<void>[] = [];
    const texts: string[] = [];
    let consumed = 0;
    source
      .pipe(
        text(),
        lines(),
        consume((line) => {
          texts.push(line);
          const inner = new Subject<void>();
          done.push(inner);
          return inner;
        }),
      )
      .subscribe();
    deliver(
      () => source.next(bytes("one\ntwo\nthr")),
      () => consumed++,
    );
    done[0]?.complete();
    expect([texts, consumed]).toEqual([["one", "two"], 0]);
    done[1]?.complete();
    expect(consumed).toBe(1);
  });

  it("counts a value as consumed at once if another operator delays it", () => {
    marbles(({ cold, flush }) => {
      const source = new Subject<string>();
      let consumed = 0;
      source
        .pipe(
          delay(10),
          consume(() => cold("-|")),
        )
        .subscribe();
      deliver(
        () => source.next("a"),
        () => consumed++,
      );
      expect(consumed).toBe(1);
      flush();
    });
  });
});
