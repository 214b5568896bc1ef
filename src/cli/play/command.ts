/** @file `dynn play`: the playground with the user's own network and images. It runs until Ctrl-C,
 *  and then ends with exit code 0. */
import type { Command } from "commander";
import { createPlayServer } from "../../node/play/server.js";
import { type ClassFlags, matchingOf } from "../shared/class-options.js";
import { type CommonFlags, common, commons, type HeadFlags, headsOfFlags } from "../shared/common-options.js";
import { interrupted } from "../shared/interrupt.js";
import type { Io } from "../shared/io.js";
import { type NormalizationFlags, normalizationOf, normalizationOptions } from "../shared/normalization-options.js";

type PlayFlags = ClassFlags & HeadFlags & NormalizationFlags & CommonFlags<"port", "data" | "samples">;

const PORT = 8791;

export function playCommand(command: Command, io: Io): Command {
  command
    .addOption(
      common("data", {
        about: "images of the page: cifar10:DIR, cifar100:DIR, folder:DIR or npy:IMAGES,LABELS (default: the bundled)",
        default: undefined,
      }),
    )
    .addOption(common("samples", { about: "show the first N records (default: up to 500, as many as 64 MB hold)" }))
    .addOption(common("port", { default: PORT }));
  for (const one of [...commons("classes", "byOrder", "exits", "final"), ...normalizationOptions()])
    command.addOption(one);
  return command
    .addHelpText("after", HELP)
    .action((model: string | undefined, flags: PlayFlags) => playAction(model, flags, io));
}

const HELP = `
The page runs the network in the browser. Nobody but this machine can reach it,
and nothing leaves it.

Examples:
  # The bundled network on the bundled images
  $ dynn play

  # Your own network, on your own photos
  $ dynn play model.onnx --data folder:photos

  # A network of another toolkit, whose file does not say what it expects
  $ dynn play foreign.onnx --exits early --mean 0.5 --std 0.25`;

async function playAction(model: string | undefined, flags: PlayFlags, io: Io): Promise<void> {
  const { data, samples, port } = flags;
  const reading = { ...headsOfFlags(flags), ...normalizationOf(flags) };
  const server = await createPlayServer({ model, data, samples, reading, matching: await matchingOf(flags) });
  try {
    io.out(`${server.about}\nopen ${await server.listen(port)} in a browser; Ctrl-C ends it\n`);
    await interrupted(io.signal);
  } finally {
    await server.close();
  }
}
