/** @file `dynn study` as a command: plan, run, status and report of a small study, and calls that
 *  are refused. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseStudyFile } from "../../src/node/studies/plan.js";
import { studyPlanSchema } from "../../src/schema/study/plan.js";
import { studyRecordSchema } from "../../src/schema/study/record.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const EXAMPLES = join(import.meta.dirname, "../../examples/studies");
const example = (name: string): string => join(EXAMPLES, name);

/** The example with fewer records, so that it ends soon. */
const SMALL = ["--samples", "12"] as const;

describe("dynn study", () => {
  it("plans, runs, goes on and reports", async () => {
    const planned = await cli("study", "plan", example("one-question.yaml"), ...SMALL, "-o", at("plan.json"));
    expect(planned.err).toBe("");
    expect(planned.out).toContain("every verdict will be inconclusive");
    const plan = studyPlanSchema.parse(JSON.parse(readFileSync(at("plan.json"), "utf8")));
    expect(plan.questions).toEqual(["C3"]);

    const ran = await cli("study", "run", at("plan.json"), "--out", at("study"));
    expect(ran.err).toBe("");
    expect(ran.code).toBe(0);
    const record = studyRecordSchema.parse(JSON.parse(readFileSync(at("study/record.json"), "utf8")));
    expect(record.verdicts.map(({ claim, verdict }) => [claim, verdict])).toEqual([["C3", "inconclusive"]]);
    expect(record.plan.edited).toBe(false);

    const again = await cli("study", "run", at("plan.json"), "--out", at("study"));
    expect(again.out).toBe(ran.out);
    const status = await cli("study", "status", at("study"), "--json", "-");
    const { done, total } = JSON.parse(status.out) as { done: number; total: number };
    expect([done, total > 5]).toEqual([total, true]);

    const reported = await cli("study", "report", at("study"), "-o", at("study.html"));
    expect(reported.code).toBe(0);
    const page = readFileSync(at("study.html"), "utf8");
    expect(page).toContain("C3");
    expect(page).not.toMatch(/NaN|undefined/);
  }, 240_000);

  it("refuses another plan in the same folder, and says so in the record when it is allowed", async () => {
    const text = readFileSync(at("plan.json"), "utf8");
    writeFileSync(at("edited.json"), text.replace('"name": "does', '"name": "edited, does'));
    const refused = await cli("study", "run", at("edited.json"), "--out", at("study"));
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/was begun with the plan .*\[study\/changed\]/),
    ]);
    const allowed = await cli("study", "run", at("edited.json"), "--out", at("study"), "--edited");
    expect(allowed.code).toBe(0);
    const record = studyRecordSchema.parse(JSON.parse(readFileSync(at("study/record.json"), "utf8")));
    expect(record.plan.edited).toBe(true);
  }, 240_000);
});

describe("study files", () => {
  it.each(["one-question.yaml", "seeds.yaml", "own-attacks.yaml", "train.yaml"])("%s is one", (name) => {
    const file = parseStudyFile(readFileSync(example(name), "utf8"), name);
    expect(file.blocks.length).toBeGreaterThan(0);
  });

  const wrong = async (text: string): Promise<[number, string]> => {
    writeFileSync(at("wrong.yaml"), text);
    const { code, err } = await cli("study", "plan", at("wrong.yaml"), "-o", at("wrong.json"));
    return [code, err];
  };
  const BLOCK = "blocks: [{cell: a, data: d, networks: {static: 'zoo:resnet20-cifar10-static'}}]";

  it("with a wrong line name it", async () => {
    expect(await wrong("name: a\n  b: [")).toEqual([
      2,
      expect.stringMatching(/wrong\.yaml: .*line 1.*\[study\/value\]/s),
    ]);
  });

  it("with an unknown field name it", async () => {
    expect(await wrong(`name: a\nsample: 3\ndata: {d: {records: sample}}\n${BLOCK}\n`)).toEqual([
      2,
      expect.stringMatching(/sample.*docs\/study-file\.md.*\[study\/value\]/s),
    ]);
  });

  it("with data that are not there name them", async () => {
    expect(await wrong(`name: a\ndata: {other: {records: sample}}\n${BLOCK}\n`)).toEqual([
      2,
      expect.stringMatching(/names the data "d", and the file has other/),
    ]);
  });

  it("without a network that exists say how to get one", async () => {
    const block = BLOCK.replace("resnet20-cifar10-static", "vgg16-cifar100-static");
    expect(await wrong(`name: a\ndata: {d: {records: sample}}\n${block}\n`)).toEqual([
      2,
      expect.stringMatching(/none of its networks exists.*dynn zoo train/),
    ]);
  });
});

describe("wrong calls", () => {
  it.each([
    [["plan", "-o", "x.json"], /which study/],
    [["plan", "--tier", "small", "-o", "x.json"], /--data DIR/],
    [["run", join(EXAMPLES, "seeds.yaml"), "--out", "x"], /it is not JSON.*dynn study plan FILE/],
    [["status", EXAMPLES], /holds no study/],
    [["report", EXAMPLES, "-o", "x.html"], /record\.json/],
  ])("%j is answered", async (argv, message) => {
    const { code, err } = await cli("study", ...argv);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});
