/** @file What a plan says of networks that are not trained yet. */
import { describe, expect, it } from "vitest";
import { missingLines } from "../../src/cli/study/missing.js";
import { fakePlan } from "../support/fake-study.js";

const plan = fakePlan(4);

describe("networks that a plan lacks", () => {
  it("are not spoken of when none lacks", () => {
    expect(missingLines(plan)).toBe("");
  });

  it("are named by cell, part and seed, with the blocks that questions can count", () => {
    const lacking = (name: string, networks: readonly string[]) => {
      const { [networks.length > 2 ? "static" : "ic-only"]: _, ...rest } = plan.blocks[0].networks;
      return {
        ...plan.blocks[0],
        ...{ name, cell: "net-w0.5-images", networks: rest },
        missing: networks.map((network) => ({ role: "dense" as const, network })),
      };
    };
    const blocks = [
      lacking("one", ["net-w0.5-images-ic-only-dense-s1", "net-w0.5-images-joint-s1", "own"]),
      lacking("two", ["net-w0.5-images-ic-only-dense-s2"]),
    ];
    expect(missingLines({ ...plan, blocks }).split("\n")).toEqual([
      "",
      "4 networks are not trained yet, and their parts of the study are left out:",
      "  net-w0.5-images: ic-only-dense s1 s2, joint s1, own",
      "Blocks with the networks of each question, of 2: C0 1, C1 1, C2 1, C3 1, C4 1, C5 2.",
      "",
      expect.stringContaining("--train"),
      "",
    ]);
  });
});
