/** @file The commands by name, with their line in `dynn --help` and the module of their options and
 *  work.
 *  A command's module loads when the command is called, because engines take most of a second to
 *  load. */
import { Command } from "commander";
import type { Io } from "./shared/io.js";
import { oftenUsed } from "./shared/often.js";

interface Entry {
  readonly about: string;
  /** Each argument as it is written, with its description. */
  readonly takes: Readonly<Record<string, string>>;
  /** Whether its work needs the options of all commands. */
  readonly needsAll?: boolean;
  /** The options that a long help begins with. */
  readonly often?: readonly string[];
  /** Loads the function that adds options and work to the command. */
  readonly load: () => Promise<(command: Command, io: Io) => Command>;
}

/** The commands, in the order of the help. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  audit: {
    about: "Attack a network with one exit or many, and report how accurate, how fast and how attackable it is.",
    takes: { "<model>": "an ONNX classifier (pixels in [0,1], NCHW), or zoo:NAME for a bundled one" },
    often: ["--data", "--samples", "--attacks", "--eps", "--threshold", "--report", "--json"],
    load: async () => (await import("./audit/command.js")).auditCommand,
  },
  attack: {
    about: "Attack one image, write it, and say what every exit answers before and after.",
    takes: {
      "<model>": "an ONNX classifier, or zoo:NAME for a bundled one",
      "<image>": "an image file, or a data spec such as sample with --record",
    },
    often: ["--goal", "--out", "--eps", "--label", "--record"],
    load: async () => (await import("./attack/command.js")).attackCommand,
  },
  attacks: {
    about: "List the attacks: methods, goals and losses, with sources, norms, access and defaults.",
    takes: { "[name]": "a method or a goal, to show its parameters" },
    load: async () => (await import("./attacks/command.js")).attacksCommand,
  },
  inspect: {
    about: "Show the contents of a model file: input, exits, cost per exit, legal cuts, operators.",
    takes: { "<model>": "an ONNX classifier, or zoo:NAME for a bundled one" },
    load: async () => (await import("./inspect/command.js")).inspectCommand,
  },
  gradient: {
    about: "Write a plain ONNX model that also returns its loss per sample and the gradient of its input.",
    takes: { "<model>": "an ONNX model, or zoo:NAME for a bundled one" },
    load: async () => (await import("./gradient/command.js")).gradientCommand,
  },
  train: {
    about: "Train a network with one exit or many, and write it as one ONNX file with a model card.",
    takes: { "<architecture>": "a name from the list below, or an ONNX file with named parameters" },
    often: ["--data", "--recipe", "--out", "--epochs", "--init", "--seed", "--resume"],
    load: async () => (await import("./train/command.js")).trainCommand,
  },
  transfer: {
    about: "Make attacks on each of several networks and measure how they work on the others.",
    takes: { "<models...>": "ONNX classifiers for the same images and classes, or zoo:NAME" },
    often: ["--data", "--samples", "--attacks", "--eps", "--report", "--json"],
    load: async () => (await import("./transfer/command.js")).transferCommand,
  },
  convert: {
    about: "Add early exits to a trained classifier. Its weights and its final answers do not change.",
    takes: { "<model>": "an ONNX classifier (pixels in [0,1], NCHW), or zoo:NAME for a bundled one" },
    often: ["--data", "--out", "--target", "--steps", "--test", "--exits", "--cost", "--gates", "--resume"],
    load: async () => (await import("./convert/command.js")).convertCommand,
  },
  calibrate: {
    about: "Choose thresholds on validation records, measure them on test records, and write them into the model.",
    takes: { "<model>": "an ONNX classifier with early exits, or zoo:NAME for a bundled one" },
    often: ["--data", "--target", "--thresholds", "--samples", "--report", "--out", "--full"],
    load: async () => (await import("./calibrate/command.js")).calibrateCommand,
  },
  profile: {
    about: "Measure what early exits save: accuracy, time and latency against the static network, in one run.",
    takes: { "<model>": "an ONNX classifier, or zoo:NAME for a bundled one" },
    often: ["--data", "--samples", "--batch", "--thresholds", "--rounds", "--report", "--full"],
    load: async () => (await import("./profile/command.js")).profileCommand,
  },
  export: {
    about: "Write a model for deployment: stage files, one file that stops early by itself, or device and server.",
    takes: { "<model>": "an ONNX classifier with early exits, or zoo:NAME for a bundled one" },
    often: ["--format", "--out", "--at", "--threshold", "--data"],
    load: async () => (await import("./export/command.js")).exportCommand,
  },
  serve: {
    about: "Run the server's half of a split network over HTTP. It answers what devices are not confident of.",
    takes: { "<bundle>": "a folder that `dynn export --format split` wrote" },
    load: async () => (await import("./serve/command.js")).serveCommand,
  },
  play: {
    about: "Open the playground in a browser: see a network think, and attack it image by image.",
    takes: { "[model]": "an ONNX classifier, or zoo:NAME (default: the bundled network)" },
    load: async () => (await import("./play/command.js")).playCommand,
  },
  study: {
    about: "Plan, run and report a study: static and dynamic networks, attacks, six claims, verdicts.",
    takes: {},
    load: async () => (await import("./study/command.js")).studyCommand,
  },
  worker: {
    about: "Run tasks of a study that another process began, on this or any other machine.",
    takes: {},
    load: async () => (await import("./worker/command.js")).workerCommand,
  },
  zoo: {
    about: "List, show, fetch, verify and train the networks of the study.",
    takes: {},
    load: async () => (await import("./zoo/command.js")).zooCommand,
  },
  classify: {
    about: "Classify images. The device answers when an exit is confident; a server answers the rest.",
    takes: {
      "<model>": "a bundle's folder (`dynn export`), an ONNX classifier, or zoo:NAME",
      "<images...>": "image files, folders of them, or one data spec: sample, cifar10:DIR, npy:X,Y ...",
    },
    often: ["--server", "--threshold", "--samples", "--json"],
    load: async () => (await import("./classify/command.js")).classifyCommand,
  },
  completion: {
    about: "Print the script by which a shell completes the words of dynn.",
    takes: { "<shell>": "bash, zsh or fish" },
    needsAll: true,
    load: async () => (await import("./completion/command.js")).completionCommand,
  },
};

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** The called command: the first word, or the word after `help`. All commands where that one needs
 * them. */
export function calledIn(argv: readonly string[]): string[] {
  const [first, second] = argv.filter((word) => !word.startsWith("-"));
  const called = first === "help" ? second : first;
  return COMMAND_NAMES.filter((name) => name === called || COMMANDS[called ?? ""]?.needsAll === true);
}

/** A command with name, description and arguments. The list of commands shows nothing else. */
export function namedCommand(name: string): Command {
  const command = new Command(name).description(entryOf(name).about);
  for (const [argument, what] of Object.entries(entryOf(name).takes)) command.argument(argument, what);
  return command;
}

/** Load a command's module, and add its options and its work. */
export async function completeCommand(command: Command, io: Io): Promise<void> {
  const { load, often = [] } = entryOf(command.name());
  const complete = await load();
  oftenUsed(complete(command, io), often);
}

function entryOf(name: string): Entry {
  const entry = COMMANDS[name];
  if (!entry) throw new Error(`bug: unknown command "${name}"`);
  return entry;
}
