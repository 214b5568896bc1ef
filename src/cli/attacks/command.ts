/** @file `dynn attacks`: lists the methods, goals and losses of attacks, or shows one of them with
 *  its parameters. */

import { type Command, Option } from "commander";
import { type Catalogue, catalogue, type MethodEntry, type ParameterEntry } from "../../attacks/catalogue.js";
import { ACCESS, type Access } from "../../attacks/question.js";
import { DynnError } from "../../core/errors.js";
import { didYouMean } from "../../core/guess.js";
import { NORM_NAMES, type Norm } from "../../schema/norm.js";
import { common } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { checkJson, printWithJson } from "../shared/json-output.js";
import { heading, table } from "../shared/table.js";

interface AttacksFlags {
  readonly access?: Access;
  readonly norm?: Norm;
  readonly json?: string;
}

const HELP = `
Examples:
  # Every method and every goal
  $ dynn attacks

  # What an attacker can do who sees labels only
  $ dynn attacks --access label

  # One method with its parameters and defaults
  $ dynn attacks pgd`;

export const attacksCommand = (command: Command, io: Io): Command =>
  command
    .addOption(new Option("--access <level>", "methods that see this much of the model").choices(ACCESS))
    .addOption(new Option("--norm <name>", "methods that work in this norm").choices(NORM_NAMES))
    .addOption(common("json"))
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, flags: AttacksFlags) => {
      await checkJson(flags.json);
      const all = catalogue();
      if (name !== undefined) return printWithJson(io, flags.json, one(all, name));
      const methods = all.methods.filter((m) => fits(m, flags));
      const value = { ...all, methods };
      await printWithJson(io, flags.json, { value, text: () => listText(value) });
    });

const fits = (method: MethodEntry, { access, norm }: AttacksFlags): boolean =>
  (access === undefined || method.access === access) && (norm === undefined || method.norms.includes(norm));

function listText({ methods, goals, losses }: Catalogue): string {
  const left = (heads: readonly string[]) => heads.map((head) => ({ head, align: "left" as const }));
  return [
    heading("Methods"),
    table(
      left(["method", "access", "norms", "budget", "targeted", "source"]),
      methods.map((m) => [m.name, m.access, m.norms.join(" "), m.budget, m.targeted ? "yes" : "no", m.source]),
    ),
    heading("Goals"),
    table(
      left(["goal", "success", "source"]),
      goals.map((g) => [g.name, g.success, g.source]),
    ),
    heading("Losses of one exit"),
    table(
      left(["loss", "what it is", "source"]),
      losses.map((l) => [l.name, l.about, l.source]),
    ),
    NOTE,
  ].join("");
}

const NOTE = `
Access: what the attacker sees. gradient: everything; scores: the loss; label: success alone;
cost: success, and the exit that was taken. Budget: radius needs one; closest searches for the nearest image.
\`dynn attacks NAME\` shows the parameters of a method or a goal.
On a network with gates, methods that see gradients take the field \`gates\` of an attack file: hard,
straight-through (the default), soft, or best for the strongest of all (docs/attack-file.md).
`;

/** One method or goal.
 * @throws DynnError 'cli/value' */
function one(all: Catalogue, name: string): { readonly value: unknown; readonly text: () => string } {
  const method = all.methods.find((m) => m.name === name);
  if (method) return { value: method, text: () => methodText(method) };
  const goal = all.goals.find((g) => g.name === name);
  if (goal)
    return {
      value: goal,
      text: () =>
        `${heading(goal.name)}The attack makes ${goal.about}.\nSuccess: ${goal.success}.\nSource: ${goal.source}.\n${parametersText(goal.parameters)}`,
    };
  const known = [...all.methods, ...all.goals].map((entry) => entry.name);
  throw new DynnError(
    "cli/value",
    `attacks: "${name}" is neither a method nor a goal.${didYouMean(name, known)} Choose from ${known.join(", ")}.`,
    { name },
  );
}

const methodText = (m: MethodEntry): string =>
  `${heading(m.name)}${[
    `${m.about}.`,
    `Source: ${m.source}.`,
    `Access: ${m.access}. Norms: ${m.norms.join(", ")}. ${m.targeted ? "It has a targeted form." : "It has no targeted form."}`,
    m.budget === "radius" ? "It needs a radius." : "It searches for the closest image.",
    ...(m.losses.length > 0 ? [`Losses: ${m.losses.join(", ")}.`] : []),
  ].join("\n")}\n${parametersText(m.parameters)}`;

const parametersText = (parameters: readonly ParameterEntry[]): string =>
  parameters.length === 0
    ? "It has no parameters.\n"
    : `\n${table(
        ["parameter", "default", "meaning"].map((head) => ({ head, align: "left" as const })),
        parameters.map((p) => [p.name, p.default, p.about]),
      )}`;
