/** @file `dynn completion`: bash runs the script and completes what a person types. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { nodesOf } from "../../src/cli/completion/tree.js";
import { program } from "../../src/cli/run.js";
import { cli } from "./support.js";

const { out: script } = await cli("completion", "bash");

/** What bash offers at the end of a line. The words of all lines are asked for in one process. */
function completed(...lines: readonly string[]): string[][] {
  const asks = lines.map(
    (line) => `COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}; _dynn; (IFS=' '; echo "\${COMPREPLY[*]}")`,
  );
  const text = execFileSync("bash", ["--norc", "-c", `${script}\n${asks.join("\n")}`], { encoding: "utf8" });
  return text
    .split("\n")
    .slice(0, lines.length)
    .map((line) => line.split(" ").filter(Boolean));
}

describe("bash completes", () => {
  it("commands, and commands below them", () => {
    const [first, zoo, all] = completed("dynn a", "dynn zoo ", "dynn ");
    expect(first).toEqual(["audit", "attack", "attacks"]);
    expect(zoo).toEqual(["list", "info", "train", "get", "verify"]);
    expect(all).toEqual(expect.arrayContaining(["train", "completion"]));
  });

  it("options of the command at hand", () => {
    const [audit, below, run] = completed(
      "dynn audit zoo:resnet20-joint --sam",
      "dynn zoo list --",
      "dynn study run plan.json --eng",
    );
    expect(audit).toEqual(["--samples"]);
    expect(below).toEqual(["--tier", "--json", "--help"]);
    expect(run).toEqual(["--engine"]);
  });

  it("the words that an option takes, and leaves files to bash", () => {
    const [rule, engine, report] = completed(
      "dynn audit --rule m",
      "dynn study run p --engine ",
      "dynn audit --report ",
    );
    expect(rule).toEqual(["max-softmax", "margin"]);
    expect(engine).toEqual(["local", "shard", "bullmq", "slurm"]);
    expect(report).toEqual([]);
  });

  it("networks of the zoo behind the colon, at which bash breaks words", () => {
    const [start, rest, none] = completed("dynn audit zo", "dynn audit zoo:resnet20-jo", "dynn worker zoo:");
    expect(start.length).toBeGreaterThan(5);
    expect(rest).toEqual(["resnet20-joint"]);
    expect(none).toEqual([]);
  });
});

it("every command and option of dynn is known to the scripts of all shells", async () => {
  const silent = { out: () => undefined, err: () => undefined, signal: new AbortController().signal };
  const nodes = nodesOf(await program(silent));
  expect(nodes.length).toBeGreaterThan(20);
  const [zsh, fish] = [(await cli("completion", "zsh")).out, (await cli("completion", "fish")).out];
  for (const { path, options } of nodes)
    for (const { flags } of options)
      for (const flag of flags) {
        expect([path, script.includes(flag), zsh.includes(flag)]).toEqual([path, true, true]);
        expect(fish).toContain(flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`);
      }
});

it("an unknown shell is refused", async () => {
  const { code, err } = await cli("completion", "tcsh");
  expect(code).toBe(2);
  expect(err).toContain('got "tcsh", expected one of bash, zsh, fish');
});
