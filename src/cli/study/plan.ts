/** @file `dynn study plan`: from a study file or a tier to a plan. */

import { dirname, relative, resolve } from "node:path";
import type { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { counted } from "../../core/units.js";
import { powerOverBlocks } from "../../measures/statistics/index.js";
import { checkWritable, writeText } from "../../node/files.js";
import { readBytes } from "../../node/onnx-files.js";
import { dataFromRoot, fromRoot } from "../../node/studies/paths.js";
import { checkedStudyFile, parseStudyFile, planStudy } from "../../node/studies/plan.js";
import { measureStudy, type StudyPace } from "../../node/studies/rate.js";
import type { StudyFile } from "../../schema/study/file.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import type { Claim } from "../../schema/study/record.js";
import { STUDY_TIERS, type StudyTier } from "../../schema/zoo.js";
import { compileStudy, planHash } from "../../studies/study/compile.js";
import { blocksWithParts } from "../../studies/study/parts.js";
import { tierFile } from "../../studies/study/tiers.js";
import { kindOf } from "../../studies/tasks/run.js";
import { common } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";
import { withProgress } from "../shared/progress.js";
import { heading, percent, table } from "../shared/table.js";
import { archivesOption, tierOption } from "../zoo/list.js";
import { openIndex } from "../zoo/networks.js";
import { missingLines } from "./missing.js";

interface PlanFlags {
  readonly tier?: StudyTier;
  readonly data?: string;
  readonly samples?: number;
  readonly train?: boolean;
  readonly out: string;
}

export const planCommand = (command: Command, io: Io): Command =>
  command
    .addOption(tierOption(STUDY_TIERS))
    .addOption(archivesOption("folder that holds the unpacked CIFAR archives, for --tier small and paper"))
    .addOption(common("samples", { about: "attack the first N records (default: those of the file or the tier)" }))
    .option("--train", "let the study train networks that do not exist yet, as `train: true` in the file does")
    .addOption(option("-o, --out <file>", "the plan", file).makeOptionMandatory())
    .addHelpText("after", HELP)
    .action((path: string | undefined, flags: PlanFlags) => planAction(path, flags, io));

const HELP = `
Examples:
  $ dynn study plan --tier demo -o demo.json
  $ dynn study plan --tier small --data data -o small.json
  $ dynn study plan --tier small --data data --train -o small.json
  $ dynn study plan mine.yaml -o mine.json`;

async function planAction(path: string | undefined, flags: PlanFlags, io: Io): Promise<void> {
  if ((path === undefined) === (flags.tier === undefined))
    throw new DynnError("cli/usage", "dynn study plan: which study? Give a study file, or a tier: --tier demo.", {
      path,
      tier: flags.tier,
    });
  await checkWritable(flags.out);
  const root = dirname(resolve(flags.out));
  const written = path === undefined ? await ofTier(flags) : await fromFile(path, flags);
  const asked = { ...written, train: written.train || flags.train === true };
  const study = rebased(asked, path === undefined ? process.cwd() : dirname(resolve(path)), root);
  const tier = flags.tier ?? null;
  const plan = await withProgress((onProgress) => planStudy(study, { tier, root, signal: io.signal, onProgress }));
  await writeText(flags.out, `${JSON.stringify(plan, undefined, 2)}\n`);
  io.out(await summary(plan, root, io));
  io.out(`\nwrote ${flags.out}\n`);
}

async function ofTier({ tier = "demo", data, samples }: PlanFlags): Promise<StudyFile> {
  if (tier !== "demo" && data === undefined)
    throw new DynnError(
      "cli/usage",
      `dynn study plan: the networks of --tier ${tier} were trained on CIFAR. Name the folder of the unpacked archives: --data DIR.`,
      { tier },
    );
  return checkedStudyFile(tierFile(tier, await openIndex(), { data, samples }), `tier ${tier}`);
}

async function fromFile(path: string, { samples }: PlanFlags): Promise<StudyFile> {
  const study = parseStudyFile(new TextDecoder().decode(await readBytes(path)), path);
  return samples === undefined ? study : { ...study, samples };
}

/** The study file with paths from another folder, so that plan and networks can move together. */
function rebased(study: StudyFile, from: string, to: string): StudyFile {
  const path = (spec: string): string => {
    const whole = fromRoot(spec, from);
    return whole === spec ? spec : relative(to, whole);
  };
  const data = (spec: string): string => {
    const whole = dataFromRoot(spec, from);
    const colon = spec.indexOf(":");
    if (whole === spec) return spec;
    const paths = whole.slice(colon + 1).split(",");
    return `${spec.slice(0, colon + 1)}${paths.map((one) => relative(to, one) || ".").join(",")}`;
  };
  return {
    ...study,
    data: Object.fromEntries(
      Object.entries(study.data).map(([name, { records, training }]) => [
        name,
        { records: data(records), ...(training === undefined ? {} : { training: data(training) }) },
      ]),
    ),
    recipes: Object.fromEntries(
      Object.entries(study.recipes).map(([name, { init, ...recipe }]) => [
        name,
        { ...recipe, ...(init === undefined ? {} : { init: path(init) }) },
      ]),
    ),
    blocks: study.blocks.map((block) => ({
      ...block,
      networks: Object.fromEntries(Object.entries(block.networks).map(([role, spec]) => [role, path(spec)])),
    })),
  };
}

async function summary(plan: StudyPlan, root: string, io: Io): Promise<string> {
  const { tasks } = compileStudy(plan);
  const all = tasks.graph.all();
  const { rate, trainings } = await withProgress((onProgress) =>
    measureStudy(plan, root, {
      signal: io.signal,
      onProgress: (name, done, total) => onProgress({ phase: "measuring", name, done, total }),
    }),
  );
  const kinds = [...new Set(all.map(({ task }) => task.kind))];
  const rows = kinds.map((kind) => {
    const own = all.filter(({ task }) => task.kind === kind);
    const macs = own.reduce((sum, { task }) => sum + kindOf(task).macs(task.parameters), 0);
    return { kind, count: own.length, hours: kind === "train" ? sumOf(trainings) : macs / rate / 3600 };
  });
  const hours = rows.reduce((sum, row) => sum + row.hours, 0);
  return [
    heading(`Study ${plan.name}, plan ${planHash(plan).slice(0, 16)}`),
    `${counted(plan.blocks.length, "block")}, ${pairedBlocks(plan)} of them with a static and a joint network; ${counted(Object.keys(plan.networks).length, "network")}, ${counted(plan.attacks.length, "attack")}, questions ${plan.questions.join(", ")}\n`,
    skippingLine(plan),
    "\n",
    table(
      [{ head: "tasks", align: "left" }, { head: "number" }, { head: "hours, 1 thread" }],
      [
        ...rows.map(({ kind, count, hours: own }) => [kind, String(count), own.toFixed(2)]),
        ["all", String(all.length), hours.toFixed(2)],
      ],
    ),
    "The hours are an upper estimate at the speed of a short forward run; samples that fall early leave.\n",
    trainingLines(trainings),
    powerLines(plan),
    missingLines(plan),
  ].join("");
}

type Trainings = StudyPace["trainings"];

const sumOf = (trainings: Trainings): number => trainings.reduce((sum, [, hours]) => sum + hours, 0);

function trainingLines(trainings: Trainings): string {
  if (trainings.length === 0) return "";
  const longest = [...trainings].sort(([, a], [, b]) => b - a);
  const names = longest.map(([name, hours]) => `${name}: ${hours.toFixed(2)} hours`);
  return `\n${counted(trainings.length, "network does", "networks do")} not exist yet, and tasks of the study train them, one at a time:\n${wrapped(names)}Measured by a few steps of one network of each architecture, with as many threads as the recipe says; the others by their MACs.\n`;
}

/** Names, a few on each line. */
function wrapped(names: readonly string[]): string {
  const shown = names.slice(0, 12);
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((name) => `  ${name}\n`).join("");
}

/** Standard deviation between blocks that the power assumes. Source: docs/study.md, "Planning
 * numbers". */
const SPREAD = 0.05;

/** Nothing for a plan without networks that skip blocks. */
function skippingLine({ blocks }: StudyPlan): string {
  const { length } = blocks.filter(({ networks }) => networks.gates !== undefined);
  if (length === 0) return "";
  return `${counted(length, "block has", "blocks have")} a network that skips blocks; its results are exploratory, and no verdict reads them\n`;
}

/** Blocks that most claims can count. */
const pairedBlocks = (plan: StudyPlan): number => blocksWithParts(plan, "C1");

function powerLines(plan: StudyPlan): string {
  const { smallest, questions } = plan;
  const blocks = pairedBlocks(plan);
  if (blocks < 2)
    return "\nFewer than two blocks: every verdict will be inconclusive, because claims are about networks.\n";
  const rows = questions
    .filter((claim) => POWERED.includes(claim))
    .map((claim) => {
      const effect = smallest[claim] ?? 0.03;
      const { signFlip } = powerOverBlocks({
        blocks,
        effect,
        spread: SPREAD,
        alpha: 0.05 / questions.length,
      });
      return [claim, effect.toFixed(3), percent(signFlip)];
    });
  return `\n${table([{ head: "claim", align: "left" }, { head: "smallest effect" }, { head: "power" }], rows)}Power of the sign-flip test at Holm's first step, with ${counted(blocks, "block")} and a spread of ${SPREAD} between them (assumed).\n${unknownPower(questions)}`;
}

/** The claims whose effects are differences of shares. */
const POWERED: readonly Claim[] = ["C0", "C1", "C3"];

function unknownPower(questions: readonly Claim[]): string {
  const rest = questions.filter((claim) => !POWERED.includes(claim));
  if (rest.length === 0) return "";
  return `${rest.join(", ")}: unknown, because the spread of these effects between blocks has not been measured. The record has the power of every claim.\n`;
}
