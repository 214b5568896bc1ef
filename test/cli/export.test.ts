import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openBundle } from "../../src/node/deploy/bundle.js";
import { cli, filesIn, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const model = join(folder, "net.onnx");
writeFileSync(model, network());
const withPolicy = join(folder, "policy.onnx");
writeFileSync(withPolicy, network({ policy: { rule: "margin", thresholds: [0.3, 0.4], fallback: "most-confident" } }));
const data = npyPair(folder, "images");
const before = filesIn(folder);
const at = (name: string) => join(folder, name);

describe("dynn export", () => {
  it("writes stage files with the model's policy", async () => {
    const ran = await cli("export", withPolicy, "--format", "staged", "--data", data, "-o", at("stages"));
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain("40 images: npy:");
    expect(ran.out).toContain("equal labels and exits");
    expect(filesIn(at("stages"))).toEqual(["manifest.json", "stage0.onnx", "stage1.onnx", "stage2.onnx"]);
    const { manifest } = await openBundle(at("stages"));
    expect(manifest.policy).toEqual({ rule: "margin", thresholds: [0.3, 0.4], fallback: "most-confident" });
  });

  it("splits at an exit by name or number, and takes policy options", async () => {
    for (const exit of ["exit1", "1"]) {
      const ran = await cli(
        "export",
        model,
        "--format",
        "split",
        "--at",
        exit,
        "--threshold",
        "0.5",
        "-o",
        at("split"),
      );
      expect(ran).toMatchObject({ code: 0, err: "" });
      const { manifest } = await openBundle(at("split"));
      expect(manifest.parts.map((part) => part.exits.length)).toEqual([2, 1]);
      expect(manifest.policy).toEqual({ rule: "max-softmax", thresholds: [0.5, 0.5], fallback: "final" });
    }
  });

  it("compares on random images when the sample has another shape, and says so", async () => {
    const ran = await cli("export", model, "--format", "conditional", "--threshold", "0.5", "-o", at("one.onnx"));
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain(
      "64 images: random images (the bundled sample is [3,32,32], but the model takes [3,8,8])",
    );
    expect((await cli("inspect", at("one.onnx"))).err).toContain("is a conditional export of dynn");
  });

  it.each([
    [["--format", "staged"], 2, "has no thresholds for rule max-softmax, and the call does not give thresholds"],
    [["--format", "split", "--threshold", "0.5", "--at", "final"], 2, '--at: got "final", expected an early exit'],
    [["--format", "staged", "--threshold", "0.5", "--at", "0"], 2, "needs --format split"],
    [["--format", "staged", "--threshold", "3"], 2, "threshold 3: rule max-softmax takes numbers from 0 to 1"],
    [["--format", "zip"], 2, "staged, conditional, split"],
    [["--format", "staged", "--threshold", "0.5", "--data", "sample"], 1, "images are [3,32,32]"],
  ])("refuses %j and writes nothing", async (flags, code, text) => {
    const ran = await cli("export", model, ...flags, "-o", at("refused"));
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(text);
    expect(filesIn(folder).filter((name) => !before.includes(name))).not.toContain("refused");
  });
});
