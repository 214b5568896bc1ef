/** @file `dynn attack`: attacks one image, writes it, and says what every exit answers before and
 *  after. */
import type { Command } from "commander";
import { DynnError } from "../../core/errors.js";
import { Images, type ImageTaker, imageDims } from "../../core/images.js";
import { checkOutputs } from "../../dynamic/run/outputs.js";
import { checkWritable, writeText } from "../../node/files.js";
import { openModel } from "../../node/models.js";
import { replaceFile } from "../../node/output-files.js";
import type { Threshold } from "../../schema/policy.js";
import { type AttackedImage, attackImage, IMAGE_GOALS, type ImageGoal } from "../../studies/attack-image.js";
import { openImages } from "../classify/images.js";
import { exportPolicy } from "../export/policy.js";
import { type BackendFlags, backendOf } from "../shared/backend-options.js";
import { type CommonFlags, common, commons, type HeadFlags, headsOfFlags } from "../shared/common-options.js";
import { exitAnswersTable } from "../shared/exit-answers.js";
import type { Io } from "../shared/io.js";
import { checkJson } from "../shared/json-output.js";
import { type NormalizationFlags, normalizationOf, normalizationOptions } from "../shared/normalization-options.js";
import { file, oneOf, option, text, whole } from "../shared/options.js";
import { type RuleFlags, thresholdsOption } from "../shared/policy-options.js";
import { heading, notesAndWarnings } from "../shared/table.js";
import { labelOf, type ModelClasses } from "./label.js";
import { sentences } from "./sentences.js";

interface AttackFlags
  extends RuleFlags,
    HeadFlags,
    NormalizationFlags,
    BackendFlags,
    CommonFlags<"eps" | "seed", "json" | "imageSize"> {
  readonly goal: ImageGoal;
  readonly out: string;
  readonly steps: number;
  readonly record: number;
  readonly label?: string;
  readonly threshold?: readonly Threshold[];
}

export function attackCommand(command: Command, io: Io): Command {
  command
    .addOption(option("--goal <name>", `${IMAGE_GOALS.join(", ")} (see below)`, oneOf(IMAGE_GOALS)).default("wrong"))
    .addOption(option("-o, --out <file>", "the attacked image, as PNG", file).default("attacked.png"))
    .addOption(common("eps", { about: "largest change of a pixel; pixels lie in [0,1]" }))
    .addOption(option("--steps <n>", "steps of projected gradient descent", whole(1, 40)).default(40))
    .addOption(option("--label <class>", "the true class, by name or number (default: the final exit's answer)", text))
    .addOption(option("--record <n>", "with a data spec: the number of the image, from 0", whole(0, 0)).default(0))
    .addOption(common("rule"))
    .addOption(thresholdsOption(""));
  for (const one of [
    ...commons("fallback", "imageSize", "exits", "final"),
    ...normalizationOptions(),
    ...commons("seed", "threads", "provider"),
  ])
    command.addOption(one);
  command.addOption(common("json", { about: "write what every exit answers as JSON; - prints it" }));
  return command
    .addHelpText("after", HELP)
    .action((model: string, image: string, flags: AttackFlags) => attackAction(model, image, flags, io));
}

const HELP = `
Goals:
  wrong     the network's answer is wrong
  early     an early exit answers wrongly, and the final exit stays right
  slowdown  no early exit is confident enough, so that nothing is saved

The image takes the size of the network. It is written without loss, and success
is judged on the written file. \`dynn audit\` attacks many images and gives rates.

Examples:
  # Make the network run to its end for one photo
  $ dynn attack zoo:resnet20-joint photo.png --goal slowdown -o slow.png

  # The tenth bundled image; a small change
  $ dynn attack zoo:resnet20-joint sample --record 9 --eps 2/255`;

async function attackAction(spec: string, given: string, flags: AttackFlags, io: Io): Promise<void> {
  await checkWritable(flags.out);
  await checkJson(flags.json);
  const backend = backendOf(flags);
  const size = flags.imageSize && { imageSize: flags.imageSize };
  const opened = await openModel(spec, { ...size, ...normalizationOf(flags), ...headsOfFlags(flags) });
  const model = await checkOutputs(opened, { backend });
  const policy = exportPolicy(flags, model);
  const { image, notes, label } = await oneImage(given, model, flags);
  const found = await attackImage(model, image, {
    ...{ backend, policy, goal: flags.goal, radius: flags.eps, steps: flags.steps, seed: flags.seed },
    label: flags.label === undefined ? label : labelOf(flags.label, model),
    signal: io.signal,
  });
  if (found.eligible) await replaceFile(flags.out, await pngOf(found.image));
  await writeOutputs({ spec, given, notes, found, classNames: model.classNames }, flags, io);
}

/** The image, and its label where the data have one.
 * @throws DynnError 'data/missing' when the data have no such record */
async function oneImage(given: string, model: ModelClasses & ImageTaker, { record }: AttackFlags) {
  const dims = imageDims(model);
  const wanted = { name: model.name, dims, classes: model.classes, classNames: model.classNames ?? null };
  const { names, notes, labels, read, from } = await openImages([given], wanted, undefined, {});
  if (record >= names.length)
    throw new DynnError(
      "data/missing",
      `${from}: has ${names.length} images, and record ${record} was asked for. Choose from 0 to ${names.length - 1}.`,
      { record, count: names.length },
    );
  return { image: Images.for(model, await read(record, record + 1)), notes, label: labels?.[record] };
}

/** An 8-bit PNG of pixels in whole steps of 1/255. */
async function pngOf({ data, dims: [channels, height, width] }: Images): Promise<Buffer> {
  const { default: sharp } = await import("sharp");
  const plane = height * width;
  const bytes = Uint8Array.from(data, (_, i) =>
    Math.round(255 * data[(i % channels) * plane + Math.floor(i / channels)]),
  );
  return sharp(bytes, { raw: { width, height, channels: channels as 1 | 3 } })
    .png()
    .toBuffer();
}

interface Told {
  readonly spec: string;
  readonly given: string;
  readonly notes: readonly string[];
  readonly found: AttackedImage;
  readonly classNames: readonly string[] | undefined;
}

async function writeOutputs(
  { spec, given, notes, found, classNames }: Told,
  flags: AttackFlags,
  io: Io,
): Promise<void> {
  const { goal, eps: radius, steps, seed, out, json } = flags;
  const { image: _, ...told } = found;
  const written = `${JSON.stringify({ model: spec, image: given, goal, norm: "linf", radius, steps, seed, ...told, out: found.eligible ? out : null }, undefined, 2)}\n`;
  if (json === "-") return io.out(written);
  io.out(
    [
      heading(`${spec}, ${given}: goal ${goal}`),
      notesAndWarnings(notes),
      exitAnswersTable(found.before, found.after),
      `\n${sentences(found, { goal, radius, trueClass: classNames?.[found.label] ?? String(found.label) })}\n${found.eligible ? `wrote ${out}` : "wrote no image"}\n`,
    ].join(""),
  );
  if (json === undefined) return;
  await writeText(json, written);
  io.out(`wrote ${json}\n`);
}
