/** @file Runs one command line: parses it, calls the command, turns errors into a message and an
 *  exit code.
 *  Exit codes: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted. */
import { Command, CommanderError } from "commander";
import { DynnError, ERROR_CODES, reasonOf } from "../core/errors.js";
import { VERSION } from "../core/version.js";
import { visible, visibleLine, visibleWithColours } from "../core/visible.js";
import { COMMAND_NAMES, calledIn, completeCommand, namedCommand } from "./commands.js";
import * as coloursOf from "./shared/colors.js";
import { Interrupted, withInterrupt } from "./shared/interrupt.js";
import type { Io } from "./shared/io.js";
import { groupItems } from "./shared/often.js";
import { spelled } from "./shared/spellings.js";
import { wrapped } from "./shared/terminal.js";
import { refuseFor } from "./shared/usage.js";

const STREAMS: Pick<Io, "out" | "err"> = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** The streams with control characters escaped, whoever wrote them. Colours pass where colours are
 * on. */
const safe = ({ out, err }: Pick<Io, "out" | "err">): Pick<Io, "out" | "err"> => ({
  out: (text) => out(wrapped(shown(text, coloursOf.out))),
  err: (text) => err(wrapped(shown(text, coloursOf.err))),
});

const shown = (text: string, { isColorSupported }: typeof coloursOf.out): string =>
  isColorSupported ? visibleWithColours(text) : visible(text);

/** Run a command line (without node and script).
 * @returns the exit code; never throws */
export async function run(written: readonly string[], given: Pick<Io, "out" | "err"> = STREAMS): Promise<number> {
  const [streams, argv] = [safe(given), spelled(written, COMMAND_NAMES)];
  let command: Command | undefined;
  try {
    await withInterrupt(async (signal) => {
      const dynn = await program({ ...streams, signal, command: commandLine(argv) }, calledIn(argv));
      command = dynn.commands.find((one) => one.name() === argv[0]);
      command = command?.commands.find((one) => one.name() === argv[1]) ?? command;
      await dynn.parseAsync([...argv], { from: "user" });
    });
    return 0;
  } catch (thrown) {
    return report(thrown, streams, command, argv);
  }
}

/** The call as one writes it in a shell. */
const commandLine = (argv: readonly string[]): string =>
  ["dynn", ...argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))].join(
    " ",
  );

/** The program.
 * @param called commands whose options are loaded; the other commands have a name only. Default:
 *   all */
export async function program(io: Io, called: readonly string[] = COMMAND_NAMES): Promise<Command> {
  const dynn = new Command("dynn")
    .description("Build, run and stress-test dynamic neural networks.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print the help of a command")
    .configureHelp({
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace(/\[options\] ?/, "")}`.trim(),
      groupItems,
    })
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => undefined })
    .showSuggestionAfterError(false)
    .addHelpText("after", EXAMPLES);
  dynn.exitOverride(refuseFor("dynn", dynn));
  for (const name of COMMAND_NAMES) {
    const command = namedCommand(name).copyInheritedSettings(dynn);
    command.exitOverride(refuseFor(`dynn ${name}`, command));
    if (called.includes(name)) await completeCommand(command, io);
    dynn.addCommand(command);
  }
  return dynn;
}

/** Where the documents are read. */
const DOCUMENTS = "https://github.com/dynn-project/dynn/blob/main";

const EXAMPLES = `
Examples:
  # How accurate, how fast and how attackable is the bundled network?
  $ dynn audit zoo:resnet20-joint --report report.html

  # What does a model file hold: exits, cuts, cost?
  $ dynn inspect model.onnx

  # The same model with its input gradient, as plain ONNX
  $ dynn gradient model.onnx -o with-gradient.onnx

  # A network of your own, with six early exits
  $ dynn train resnet20 --data cifar10:data --recipe joint -o mine.onnx

Exit codes: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted.
Documents (docs/...): ${DOCUMENTS}/docs`;

/** The message of an error, with the flags of the options that its advice is about. The library
 * does not know flags. */
function withFlags({ message, code, detail }: DynnError, command: Command | undefined): string {
  const named: readonly unknown[] = Array.isArray(detail.options) ? detail.options : [];
  const flags = named.flatMap((name) => command?.options.find((o) => o.attributeName() === name)?.long ?? []);
  const fresh = flags.filter((flag) => !message.includes(flag));
  if (fresh.length === 0) return message;
  return message.replace(/\.?\s*(\[[^\]]*\])$/, ` (${fresh.join(", ")}). [${code}]`);
}

function report(thrown: unknown, io: Pick<Io, "err">, command: Command | undefined, argv: readonly string[]): number {
  if (thrown instanceof Interrupted) {
    io.err(`\n${thrown.message}\n`);
    return 130;
  }
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  io.err(
    `${coloursOf.err.red("error:")} ${visible(thrown instanceof DynnError ? oneLine(withDocuments(withFlags(thrown, command)), namesIn(thrown, argv)) : bug(thrown))}\n`,
  );
  return thrown instanceof DynnError ? ERROR_CODES[thrown.code].exit : 1;
}

/** The message with addresses of documents. The library names their paths in the package. */
const withDocuments = (message: string): string =>
  message.replaceAll(/(?<![\w/])docs\/[\w-]+\.md/g, (path) => `${DOCUMENTS}/${path}`);

/** Names of files and other texts of the call, and the parts of paths. */
const namesIn = ({ detail }: DynnError, argv: readonly string[]): string[] =>
  [...argv, ...Object.values(detail)].flatMap((value) =>
    typeof value === "string" ? [value, ...value.split(/[/\\:,]/)] : [],
  );

/** The message with line breaks and tabs in names escaped, so that a name cannot look like a line
 * of dynn's own. Line breaks of the message itself stay. */
const oneLine = (message: string, names: readonly string[]): string =>
  names
    .filter((name) => /[\t\n]/.test(name))
    .sort((a, b) => b.length - a.length)
    .reduce((text, name) => text.replaceAll(name, () => visibleLine(name)), message);

const bug = (thrown: unknown): string =>
  `dynn failed unexpectedly: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : reasonOf(thrown)}\nPlease report this with the command you ran.`;
