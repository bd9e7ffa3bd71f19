import { delay, of, Subject, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { consume, lines, text } from "../../src/index.js";
import { deliver } from "../../src/session/consumption.js";
import { bytes } from "../support/peer.js";
import { marbles } from "./support.js";

describe("consume", () => {
  it("emits what concatMap does, and lets go as it does", () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const inner = cold("--x--y|");
      const source = hot("-a-b----|");
      expectObservable(source.pipe(consume(() => inner))).toBe("---x--y--x--y|");
      expectSubscriptions(inner.subscriptions).toBe(["-^-----!", "-------^-----!"]);
      expectSubscriptions(source.subscriptions).toBe("^-------!");
    });
  });

  it("passes the errors of its source and of what it consumes by", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("-a-#");
      expectObservable(source.pipe(consume((value) => of(value)))).toBe("-a-#");
      const failing = cold("-a-b");
      expectObservable(failing.pipe(consume(() => throwError(() => "error")))).toBe("-#");
      expectSubscriptions(failing.subscriptions).toBe("^!");
    });
  });

  it("has consumed a value when it is finished with it, and not before", () => {
    const source = new Subject<string>();
    const done: Subject<void>[] = [];
    const told: string[] = [];
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
        () => told.push(value),
      );
    expect(told).toEqual([]);
    done[0]?.complete();
    expect(told).toEqual(["a"]);
    // Whoever does not want the others any more has nothing to consume them for.
    subscription.unsubscribe();
    expect(told.sort()).toEqual(["a", "b", "c"]);
  });

  it("knows what a value came from behind operators that emit at once, and each part of it", () => {
    const source = new Subject<Uint8Array>();
    const done: Subject<void>[] = [];
    const seen: string[] = [];
    let consumed = 0;
    source
      .pipe(
        text(),
        lines(),
        consume((line) => {
          seen.push(line);
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
    expect([seen, consumed]).toEqual([["one", "two"], 0]);
    done[1]?.complete();
    expect(consumed).toBe(1);
  });

  it("is what an observer does not need that is done when its next returns, nor one that hears later", () => {
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
