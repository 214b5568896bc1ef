import { describe, expect, test } from "vitest";
import { checkProvider } from "../../src/node/ort-node/index.js";
import { cli } from "./support.js";

const cuda = await checkProvider("cuda").then(
  () => true,
  () => false,
);

describe("--provider", () => {
  test("takes the names of providers", async () => {
    const { code, err } = await cli("audit", "zoo:resnet20-joint", "--provider", "gpu");
    expect(code).toBe(2);
    expect(err).toContain('--provider: got "gpu", expected one of cpu, webgpu, cuda. Write e.g. --provider cpu.');
  });

  test("stands in every command that computes", async () => {
    for (const command of ["audit", "train", "convert", "calibrate", "profile", "export", "serve", "classify"])
      expect((await cli(command, "--help")).out).toContain("--provider <name>");
  });

  test.skipIf(cuda)("says what a provider needs that is not there", async () => {
    const { code, err } = await cli("audit", "zoo:resnet20-joint", "--provider", "cuda", "--threshold", "0.8");
    expect(code).toBe(2);
    expect(err).toMatch(
      /provider cuda: this machine cannot run it .+ Otherwise use the provider cpu \(--provider\)\. \[runtime\/provider\]/,
    );
  });
});
