/** @file What a reader copies: the command runs, reads the attack file, and reaches what the page shows. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { attackFile, command } from "../../playground/src/page/copy.js";
import { configOf, effortOf, FIRST_SETTINGS, GOAL_IDS } from "../../playground/src/page/goals.js";
import { labelsIn } from "../../playground/src/page/labels.js";
import { get, type State } from "../../playground/src/page/state.js";
import type { NetworkFacts } from "../../playground/src/shared/messages.js";
import { run } from "../../src/cli/run.js";
import { catalogue, configureAttack, load, parseAttackFile } from "../../src/node/index.js";

const ZOO = resolve(import.meta.dirname, "../../zoo");
const model = await load(join(ZOO, "resnet20-cifar10-joint.onnx"));
if (!model.policy) throw new Error("the bundled network has a policy");
const victim = { model, policy: model.policy };
const facts = {
  name: "net",
  bundled: true,
  ownPolicy: true,
  exits: model.exits,
  policy: model.policy,
} as unknown as NetworkFacts;
const state: State = {
  ...get(),
  facts,
  catalogue: catalogue(),
  policy: model.policy,
  shown: { id: 2, pixels: new Float32Array(3072), label: 3, name: "cat" },
  set: { name: "sample", classes: [], dims: [3, 32, 32], pixels: new Float32Array(), labels: [] },
};

const folder = mkdtempSync(join(tmpdir(), "dynn-copy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the attack file", () => {
  test.each(GOAL_IDS)("of the goal %s is read by the command", (goal) => {
    expect(parseAttackFile(JSON.parse(attackFile(state, goal)), "attack.json")).toHaveLength(1);
  });

  test("of every method for one image fits the network, in every norm", () => {
    const methods = catalogue().methods.filter(({ scope, goals }) => scope === "sample" && goals === null);
    let tried = 0;
    for (const method of methods)
      for (const norm of method.norms) {
        const radius = norm === "linf" ? "2/255" : norm === "l2" ? "64/255" : "8";
        const settings = {
          ...FIRST_SETTINGS,
          method: method.name,
          norm,
          radius,
          steps: effortOf(method)?.usual ?? null,
        };
        const config = configOf("wrong", settings, facts, catalogue());
        expect(configureAttack(config, victim).method.name).toBe(method.name);
        tried++;
      }
    expect(tried).toBeGreaterThan(60);
  });
});

describe("the command", () => {
  test("is a call that dynn accepts, and its attack reaches the shown image", async () => {
    const text = command(state, "slow");
    const [, file] = /<<'END'\n([\s\S]*?)END\n/.exec(text) ?? [];
    const attack = join(folder, "attack.json");
    writeFileSync(attack, file);
    const call = text.slice(text.indexOf("dynn audit")).replaceAll("\\\n", " ").replace("attack.json", attack);
    const argv = call
      .replace("--keep images", `--keep ${join(folder, "images")} --json-samples --json -`)
      .trim()
      .split(/\s+/)
      .slice(1);
    const out: string[] = [];
    expect(await run(argv, { out: (part) => out.push(part), err: () => {} })).toBe(0);
    const record = JSON.parse(out.join("")) as {
      data: { samples: number };
      attacks: readonly { name: string; parameters: { steps: number } }[];
    };
    expect(record.data.samples).toBe(3);
    expect(record.attacks).toMatchObject([{ name: "slow", parameters: { steps: 20 } }]);
  });

  test("states thresholds that are not the file's own", () => {
    expect(command(state, "slow")).not.toContain("--threshold");
    const moved = { ...victim.policy, thresholds: victim.policy.thresholds.map(() => 0.5) };
    expect(command({ ...state, policy: moved }, "slow")).toContain("--threshold 0.5,0.5,0.5,0.5,0.5,0.5");
  });
});

test("labels follow names where a network has names, and the order where it has none", () => {
  const net = (classes: string[], named: boolean) => ({ classes, named });
  expect(labelsIn(["cat", "dog"], net(["Dog", "CAT", "bird"], true))).toEqual([1, 0]);
  expect(labelsIn(["cat", "dog"], net(["cat", "bird"], true))).toBeUndefined();
  expect(labelsIn(["cat", "dog"], net(["class 0", "class 1"], false))).toEqual([0, 1]);
  expect(labelsIn(["cat", "dog"], net(["class 0"], false))).toBeUndefined();
});
