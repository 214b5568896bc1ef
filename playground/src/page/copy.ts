/** @file What a reader takes along: the attack as a file, and as a call of the command. */
import { samePolicy } from "./address.js";
import { configOf, type GoalId } from "./goals.js";
import type { State } from "./state.js";

/** The attack file of one goal. */
export function attackFile({ settings, facts, catalogue }: State, goal: GoalId): string {
  if (!facts) return "";
  return `${JSON.stringify([configOf(goal, settings, facts, catalogue)], null, 2)}\n`;
}

/** A call of the command that attacks the same image in the same way. */
export function command(state: State, goal: GoalId): string {
  const { facts, shown, set, settings, policy } = state;
  if (!facts || !shown || !policy) return "";
  const bundled = facts.bundled ? "zoo:resnet20-joint" : facts.name;
  const data = shown.id < 0 ? "folder:my-images" : set?.name === "sample" ? "sample" : (set?.name ?? "sample");
  const call = [
    `dynn audit ${quoted(bundled)}`,
    `--data ${quoted(data)}`,
    ...(shown.id < 0 ? [] : [`--samples ${shown.id + 1}`]),
    "--attack-file attack.json",
    ...(facts.exits.length > 1 && !(facts.ownPolicy && samePolicy(policy, facts.policy))
      ? [`--rule ${policy.rule} --threshold ${policy.thresholds.map((t) => Number(t.toPrecision(6))).join(",")}`]
      : []),
    `--seed ${settings.seed}`,
    "--keep images",
  ];
  const note =
    shown.id < 0
      ? "# Save the picture as my-images/CLASS/picture.png first.\n"
      : `# Record ${shown.id} is the last of the first ${shown.id + 1}. --keep writes its attacked image.\n`;
  return `cat > attack.json <<'END'\n${attackFile(state, goal)}END\n${note}${call.join(" \\\n  ")}\n`;
}

const quoted = (text: string): string => (/^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
