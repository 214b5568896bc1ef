/** @file The sessions that tasks leave open for the next ones. */
import { describe, expect, test, vi } from "vitest";
import { Bench, type Opening } from "../../../src/studies/tasks/bench.js";
import { KeptBenches } from "../../../src/studies/tasks/kept-benches.js";

const opening = {} as Opening;
const on = (name: string, data = "a") => ({ parameters: { network: { name }, data: { sha256: data } } });

describe("kept benches", () => {
  test("are those of the last two networks", async () => {
    const released = vi.spyOn(Bench.prototype, "release");
    const benches = new KeptBenches();
    const take = (name: string, place = "1 thread") => benches.take(place, on(name), opening);
    const [one, two] = [await take("one"), await take("two")];
    expect([await take("one"), await take("two")]).toEqual([one, two]);
    expect(two).not.toBe(one);
    expect(released).not.toHaveBeenCalled();
    const three = await take("three");
    expect(released.mock.contexts).toEqual([one]);
    expect(await take("two")).toBe(two);
    expect(await take("three", "2 threads")).not.toBe(three);
    await benches.release();
    expect(released).toHaveBeenCalledTimes(4);
    released.mockRestore();
  });

  test("drop the pixels of records that the next task does not have", async () => {
    const forgot = vi.spyOn(Bench.prototype, "forget");
    const benches = new KeptBenches();
    for (const data of ["a", "a", "b"]) await benches.take("here", on("one", data), opening);
    expect(forgot.mock.calls).toEqual([[{ sha256: "a" }]]);
    forgot.mockRestore();
  });
});
