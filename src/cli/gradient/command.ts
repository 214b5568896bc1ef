/** @file `dynn gradient`: writes a model that also returns its gradient, as plain ONNX. */
import type { Command } from "commander";
import type { ModelGradientOptions } from "../../autodiff/model-gradient.js";
import { DynnError } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import { showCount } from "../../core/units.js";
import type { ValueInfo } from "../../graph/graph.js";
import { checkWritable } from "../../node/files.js";
import { openOnnx } from "../../node/models.js";
import { saveModel } from "../../node/onnx-files.js";
import { ortNode } from "../../node/ort-node/index.js";
import { fileGradient } from "../../studies/gradient-model.js";
import { common, type HeadFlags, headsOfFlags } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { file, option } from "../shared/options.js";
import { heading, table } from "../shared/table.js";

interface GradientFlags extends HeadFlags {
  readonly loss: string;
  readonly of?: string;
  readonly wrt?: string;
  readonly out?: string;
}

export const gradientCommand = (command: Command, io: Io): Command =>
  command
    .addOption(option("-o, --out <file>", "where to write it (default: MODEL.gradient.onnx)", file))
    .option(
      "--loss <name>",
      "cross-entropy (adds an int64 input `labels` [n]), sum, or an output of the model, whose elements are summed",
      "cross-entropy",
    )
    .option("--of <output>", "the output of which the loss is computed (default: the output of the final exit)")
    .addOption(common("exits"))
    .addOption(common("final"))
    .option("--wrt <input>", "the input to differentiate with respect to (default: the first input)")
    .addHelpText("after", HELP)
    .action((model: string, flags: GradientFlags) => gradientAction(model, flags, io));

const HELP = `
The result keeps the model's inputs, outputs and opset, uses standard operators
only, and runs in any ONNX Runtime. \`gradient\` is the gradient of the summed
loss. Gradients are float32: inputs of other types become float32, and bytes
become pixels in [0,1].

Examples:
  $ dynn gradient model.onnx -o with-gradient.onnx
  $ dynn gradient zoo:resnet20-joint --of exit0 -o exit0-gradient.onnx
  $ dynn gradient model.onnx --loss features`;

async function gradientAction(spec: string, flags: GradientFlags, io: Io): Promise<void> {
  const out = flags.out ?? `${spec.replace(/^zoo:/, "").replace(/\.onnx$/, "")}.gradient.onnx`;
  await checkWritable(out);
  const { source, name } = await openOnnx(spec);
  const asked = lossOf(flags);
  const { wrt } = flags;
  const { graph, output, changes } = await fileGradient(source, {
    ...{ ...asked, ...headsOfFlags(flags), name, wrt },
    backend: ortNode(),
  });
  // ONNX Runtime must accept the model before it is written.
  const session = await ortNode().compile(graph);
  await session.release();
  await saveModel(out, { graph });
  io.out(
    heading(out) +
      table(
        [
          { head: "", align: "left" },
          { head: "name", align: "left" },
          { head: "type", align: "left" },
        ],
        [...graph.inputs.map((v) => row("input", v)), ...graph.outputs.map((v) => row("output", v))],
      ) +
      `\n${showCount(graph.nodes.length)} nodes, opset ${graph.opset}\n${output === undefined ? "" : `${asked.loss} of ${output}${asked.output === undefined ? ", the final exit" : ""}\n`}${changes.map((change) => `${change}\n`).join("")}wrote ${out}\n`,
  );
}

const LOSSES: readonly string[] = ["cross-entropy", "sum"] satisfies ModelGradientOptions["loss"][];

/** @throws DynnError 'cli/usage' when two options name the output */
function lossOf({ loss, of }: GradientFlags): Pick<ModelGradientOptions, "loss" | "output"> {
  if (LOSSES.includes(loss)) return { loss: loss as ModelGradientOptions["loss"], output: of };
  if (of === undefined) return { loss: "sum", output: loss };
  throw new DynnError(
    "cli/usage",
    `--loss ${loss} and --of ${of}: both name an output. Leave --of out, or use --loss cross-entropy or sum.`,
    { loss, of },
  );
}

const row = (kind: string, { name, dtype, shape }: ValueInfo): string[] => [kind, name, `${dtype}${showShape(shape)}`];
