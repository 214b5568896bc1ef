/** @file `dynn export`: writes a model for deployment, so that it stops early there. */

import { type Command, Option } from "commander";
import { DynnError } from "../../core/errors.js";
import type { Dataset } from "../../data/dataset.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { openDataset } from "../../node/data/open.js";
import {
  type Exported,
  type ExportOptions,
  exportConditional,
  exportSplit,
  exportStaged,
} from "../../node/deploy/export.js";
import { checkReplaceable } from "../../node/deploy/files.js";
import { checkWritable } from "../../node/files.js";
import { openModel } from "../../node/models.js";
import type { Threshold } from "../../schema/policy.js";
import { type BackendFlags, backendOf } from "../shared/backend-options.js";
import { type CommonFlags, common, commons, type HeadFlags, headsOfFlags } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { listed } from "../shared/listed.js";
import { type NormalizationFlags, normalizationOf, normalizationOptions } from "../shared/normalization-options.js";
import { file, oneOf, option } from "../shared/options.js";
import { type RuleFlags, thresholdsOption } from "../shared/policy-options.js";
import { withProgress } from "../shared/progress.js";
import { verificationImages } from "./images.js";
import { exitNumber, exportPolicy } from "./policy.js";
import { exportTables } from "./tables.js";

const FORMATS = ["staged", "conditional", "split"] as const;
type Format = (typeof FORMATS)[number];

interface ExportFlags
  extends RuleFlags,
    HeadFlags,
    NormalizationFlags,
    BackendFlags,
    CommonFlags<"samples", "data" | "imageSize"> {
  readonly format: Format;
  readonly at?: string;
  readonly threshold?: readonly Threshold[];
  readonly out: string;
}

export function exportCommand(command: Command, io: Io): Command {
  command
    .addOption(option("--format <name>", `${FORMATS.join(", ")} (below)`, oneOf(FORMATS)).makeOptionMandatory())
    .addOption(
      new Option(
        "--at <exit>",
        "last exit on the device, by name or by number from 0 (default: the exit that sends the fewest numbers per image; of equals, the first)",
      ),
    )
    .addOption(common("rule"))
    .addOption(thresholdsOption(" (default: the model's own; `dynn calibrate` chooses one)"))
    .addOption(common("fallback"))
    .addOption(
      common("data", {
        about:
          "images for the comparison (default: the bundled sample, or random images when the model takes another shape)",
        default: undefined,
      }),
    )
    .addOption(common("samples", { about: "compare on the first N images", default: 200 }));
  for (const one of [
    ...commons("imageSize", "exits", "final"),
    ...normalizationOptions(),
    ...commons("threads", "provider"),
  ])
    command.addOption(one);
  return command
    .addOption(
      option("-o, --out <path>", "a folder (staged, split) or a file (conditional)", file).makeOptionMandatory(),
    )
    .addHelpText("after", HELP)
    .action((model: string, flags: ExportFlags) => exportAction(model, flags, io));
}

const HELP = `
Formats:
${listed([
  ["staged", "a folder: stage0.onnx, stage1.onnx ... and manifest.json; the host decides after each stage"],
  ["conditional", "one ONNX file with nested If nodes, for any runtime: outputs logits, exit, label, confidence"],
  ["split", "a folder: device.onnx (image to early exits), server.onnx (the rest) and manifest.json"],
])}

Before it is written, the export is run on images and compared with the model:
labels and exits are equal, logits are equal up to rounding.

Examples:
  # One file that stops early by itself in any ONNX Runtime
  $ dynn export zoo:resnet20-joint --format conditional -o early.onnx

  # A device that answers when an exit is confident, and a server for the rest
  $ dynn export model.onnx --format split --at exit2 --data sample -o bundle

  # Stages for a host of your own, with threshold 0.9
  $ dynn export model.onnx --format staged --threshold 0.9 -o stages`;

async function exportAction(spec: string, flags: ExportFlags, io: Io): Promise<void> {
  if (flags.at !== undefined && flags.format !== "split")
    throw new DynnError("cli/usage", `--at ${flags.at}: needs --format split, got ${flags.format}. Leave --at out.`, {
      format: flags.format,
    });
  await (flags.format === "conditional" ? checkWritable(flags.out) : checkReplaceable(flags.out));
  const data = flags.data === undefined ? undefined : await openDataset(flags.data);
  const model = await openModel(spec, { ...sizeOf(flags, data), ...normalizationOf(flags), ...headsOfFlags(flags) });
  const policy = exportPolicy(flags, model);
  const images = await verificationImages(model, data, flags.samples);
  const exported = await withProgress((update) =>
    write(model, flags, {
      backend: backendOf(flags),
      policy,
      images: images.pixels,
      signal: io.signal,
      onProgress: (done, total) => update({ phase: "comparing with the model", done, total }),
    }),
  );
  io.out(exportTables(model, flags.format, exported, images.from));
}

const sizeOf = (
  { imageSize: given }: ExportFlags,
  data: Dataset | undefined,
): { readonly imageSize?: readonly [number, number] } => {
  const size = given ?? (data && ([data.shape[1], data.shape[2]] as const));
  return size ? { imageSize: size } : {};
};

function write(model: DynamicModel, { format, at, out }: ExportFlags, options: ExportOptions): Promise<Exported> {
  if (format === "conditional") return exportConditional(model, out, options);
  if (format === "staged") return exportStaged(model, out, options);
  return exportSplit(model, out, { ...options, at: at === undefined ? undefined : exitNumber(at, model) });
}
