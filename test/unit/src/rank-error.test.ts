import { expect, it } from "vitest";
import { FluxError, RankError } from "../../../src/index.js";

const failed = (rank: number, message: string) => new FluxError("EHOSTUNREACH", message, { rank });

it("has each failure once in its message, with the ranks as an idset", () => {
  const error = new RankError([
    failed(9, "no such rank"),
    failed(2, "lost"),
    failed(10, "no such rank"),
    failed(12, "no such rank"),
  ]);
  expect(error.message).toBe("on rank 2: lost (EHOSTUNREACH); on ranks 9-10,12: no such rank (EHOSTUNREACH)");
  expect(error.ranks).toBe("2,9-10,12");
});

it("has the errors by rank, ten after nine", () => {
  const { errors } = new RankError([failed(10, "b"), failed(9, "a")]);
  expect(errors.map(({ rank }) => rank)).toEqual([9, 10]);
});
