/** @file `dynn classify`: classifies images with a split network and its server, a staged network,
 *  or a whole model. */

import { type Command, Option } from "commander";
import { DynnError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { PlacedAnswer } from "../../deploy/device/device.js";
import { type LinkSpeed, parseLink } from "../../deploy/link.js";
import { WIRES, type Wire } from "../../deploy/wire-values.js";
import { costOf } from "../../dynamic/model/units.js";
import type { ExitAnswer } from "../../dynamic/route/exit-answers.js";
import type { ClientOptions } from "../../node/client.js";
import { checkWritable, writeText } from "../../node/files.js";
import { tokenOption } from "../serve/command.js";
import { type BackendFlags, backendOf } from "../shared/backend-options.js";
import { type ClassFlags, matchingOf } from "../shared/class-options.js";
import { type CommonFlags, common, commons } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { normalizationOptions } from "../shared/normalization-options.js";
import { listOf, oneOf, option, type Reader, text, whole } from "../shared/options.js";
import { thresholdsOption } from "../shared/policy-options.js";
import { type ProgressBar, withProgress } from "../shared/progress.js";
import { type Classifier, type ClassifierFlags, type ClassifierSource, openClassifierSource } from "./classifier.js";
import { type NamedImages, openImages } from "./images.js";
import { type Run, type Summary, summarize } from "./summary.js";
import { classifyTables, exitsText, warningsOf } from "./tables.js";

interface StatedLink extends LinkSpeed {
  readonly text: string;
}

interface ClassifyFlags
  extends Omit<ClassifierFlags, "exits">,
    ClassFlags,
    BackendFlags,
    CommonFlags<"batch", "samples" | "json"> {
  /** True without names. */
  readonly exits?: readonly string[] | true;
  readonly server?: string;
  readonly token?: string;
  readonly wire?: Wire | "all";
  readonly deadline: number;
  readonly retries: number;
  readonly link?: StatedLink;
}

const readLink: Reader<StatedLink> = (text, where) => ({ ...parseLink(text, where), text });

export function classifyCommand(command: Command, io: Io): Command {
  command
    .addOption(new Option("--server <url>", "URL of `dynn serve` (default: the server's half runs on this machine)"))
    .addOption(tokenOption("the server's token"))
    .addOption(
      option(
        "--wire <format>",
        `number format of hidden values on the wire: ${WIRES.join(", ")}, or all to compare them (default: float32)`,
        oneOf([...WIRES, "all"]),
      ),
    )
    .addOption(
      option("--deadline <ms>", "longest wait for the server, all tries together", whole(1, 2000)).default(2000),
    )
    .addOption(option("--retries <n>", "tries after the first one", whole(0, 3)).default(3))
    .addOption(option("--link <rate,rtt>", "estimate times over a link, such as 10Mbit/s,40ms", readLink))
    .addOption(
      common("batch", { about: "images at a time; they are also sent together", read: whole(1, 1), default: 1 }),
    )
    .addOption(common("samples", { about: "the first N images of a data spec" }))
    .addOption(common("rule"))
    .addOption(thresholdsOption(", for a model"));
  for (const one of [
    ...commons("fallback", "classes", "byOrder", "imageSize"),
    option(
      "--exits [names]",
      "show what every exit answers; with names: the outputs that are early exits",
      listOf(text),
    ),
    common("final"),
    ...normalizationOptions(),
    ...commons("threads", "provider"),
  ])
    command.addOption(one);
  return command
    .addOption(common("json", { about: "write answers and summary as JSON; - prints it" }))
    .addHelpText("after", HELP)
    .action((model: string, images: string[], flags: ClassifyFlags) => classifyAction(model, images, flags, io));
}

const HELP = `
Image files are resized to the input size of the network: the short side, then
the centre is cut out. FILE?fit=pad and FILE?fit=stretch keep the edges. When
the server is not reached, the device answers with its most confident exit, and
the table says so. When the server refuses (another export, another token), the
command fails.

Examples:
  # The whole network on this machine, which stops early where it can
  $ dynn classify zoo:resnet20-joint sample --threshold 0.8

  # What every exit answers for one photo
  $ dynn classify zoo:resnet20-joint photo.png --exits

  # The device's half on this machine, the server's half behind the URL
  $ dynn classify bundle photos/ --server http://127.0.0.1:8790

  # Compare float32, float16 and int8, and estimate times over a slow link
  $ dynn classify bundle cifar10:data --wire all --link 10Mbit/s,40ms`;

async function classifyAction(spec: string, given: string[], flags: ClassifyFlags, io: Io): Promise<void> {
  if (flags.json !== undefined && flags.json !== "-") await checkWritable(flags.json);
  const matching = await matchingOf(flags);
  const backend = backendOf(flags);
  const { exits, ...others } = flags;
  const named = typeof exits === "object" ? { ...others, exits } : others;
  const source = await openClassifierSource(spec, named, serverOf(flags), backend);
  if (exits === true) refuseWithoutExits(source);
  if (source.kind !== "split") refuseSplitOptions(source, flags);
  const images = await openImages(given, source, flags.samples, matching);
  const wires = source.kind !== "split" ? [null] : flags.wire === "all" ? WIRES : [flags.wire ?? "float32"];
  const shown = exits === true ? await exitsShown(source, images, io) : undefined;
  const runs: Run[] = [];
  await withProgress(async (update) => {
    for (const wire of wires) {
      const classifier = await source.open(wire ?? "float32", flags.batch);
      try {
        runs.push({ wire, answers: await answersOf(classifier, images, { batch: flags.batch, wire, io, update }) });
      } finally {
        await classifier.release();
      }
    }
  });
  const options = { labels: images.labels, link: flags.link, imageBytes: sizeOf(source.dims) };
  await writeOutputs(
    source,
    images,
    runs,
    runs.map((run) => summarize(run, options)),
    { ...flags, shown },
    io,
  );
}

/** What every exit answers for each image. */
type ShownExits = readonly (readonly ExitAnswer[])[];

/** @throws DynnError 'cli/usage' */
function refuseWithoutExits({ name, kind, everyExit }: ClassifierSource): void {
  if (everyExit) return;
  throw new DynnError(
    "cli/usage",
    `--exits: needs a model, but ${name} is a ${kind} bundle, which stops at the exit that fires. Give the model that the bundle was exported from.`,
    { kind },
  );
}

async function exitsShown({ everyExit }: ClassifierSource, { names, read }: NamedImages, io: Io): Promise<ShownExits> {
  const all: (readonly ExitAnswer[])[] = [];
  for (let from = 0; from < names.length; from += EXITS_BATCH) {
    const pixels = await read(from, Math.min(names.length, from + EXITS_BATCH));
    all.push(...((await everyExit?.(pixels, io.signal)) ?? []));
  }
  return all;
}

const EXITS_BATCH = 16;

const serverOf = ({ server: url, token, deadline, retries }: ClassifyFlags): ClientOptions | undefined =>
  url === undefined ? undefined : { url, token, deadlineMs: deadline, retries };

/** @throws DynnError 'cli/usage' */
function refuseSplitOptions({ name, kind }: ClassifierSource, flags: ClassifyFlags): void {
  const set = (["server", "wire", "link"] as const).find((key) => flags[key] !== undefined);
  if (set === undefined) return;
  throw new DynnError(
    "cli/usage",
    `--${set}: needs a split bundle, but ${name} is a ${kind === "staged" ? "staged bundle" : "model"}. Leave it out, or make a bundle with \`dynn export --format split\`.`,
    { option: set, kind },
  );
}

/** Images are read when they are needed, because a whole dataset may not fit in memory. */
async function answersOf(
  classifier: Classifier,
  { names, read }: NamedImages,
  {
    batch,
    wire,
    io,
    update,
  }: { readonly batch: number; readonly wire: Wire | null; readonly io: Io; readonly update: ProgressBar["update"] },
): Promise<PlacedAnswer[]> {
  const answers: PlacedAnswer[] = [];
  const phase = wire === null ? "classifying" : `classifying, ${wire} on the wire`;
  while (answers.length < names.length) {
    update({ phase, done: answers.length, total: names.length });
    io.signal.throwIfAborted();
    const pixels = await read(answers.length, Math.min(names.length, answers.length + batch));
    answers.push(...(await classifier.classify(pixels, io.signal)));
  }
  return answers;
}

async function writeOutputs(
  source: ClassifierSource,
  images: NamedImages,
  runs: readonly Run[],
  summaries: readonly Summary[],
  { json, link, shown }: ClassifyFlags & { readonly shown: ShownExits | undefined },
  io: Io,
): Promise<void> {
  const text = `${JSON.stringify(recordOf(source, images, runs, summaries, shown), undefined, 2)}\n`;
  if (json !== undefined && json !== "-") await writeText(json, text);
  if (json === "-") return io.out(text);
  io.out(classifyTables(source, images, runs, summaries, link?.text) + (shown ? exitsText(images.names, shown) : ""));
  if (json !== undefined) io.out(`wrote ${json}\n`);
}

/** Answers and summaries as data. */
function recordOf(
  source: ClassifierSource,
  images: NamedImages,
  runs: readonly Run[],
  summaries: readonly Summary[],
  shown: ShownExits | undefined,
) {
  const { name, kind, exits, classNames } = source;
  const { from, names, labels } = images;
  const [first] = summaries as [Summary];
  const answerOf = ({ stop, gates, label, confidence, answer, place, reason, ms, bytes }: PlacedAnswer, i: number) => ({
    image: names[i],
    label,
    class: classNames?.[label] ?? null,
    confidence,
    exit: exits[answer],
    place,
    ...(labels && { truth: labels[i] }),
    ...(gates && { gates, macs: costOf(source.units, { stop, gates }) }),
    ...(reason !== undefined && { reason }),
    ms,
    bytes,
    ...(shown && { everyExit: shown[i] }),
  });
  return {
    model: name,
    kind,
    images: from,
    notes: images.notes.length > 0 ? images.notes : undefined,
    warnings: warningsOf(source, images, first),
    runs: runs.map((run, k) => ({ ...summaries[k], answers: run.answers.map(answerOf) })),
  };
}
