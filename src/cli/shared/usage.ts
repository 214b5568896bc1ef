/** @file Turns errors of commander into errors of dynn. */
import type { Command, CommanderError } from "commander";
import { DynnError } from "../../core/errors.js";
import { didYouMean } from "../../core/guess.js";

/** Turns an error of commander into a DynnError. Help and version are not errors: they pass. */
export const refuseFor =
  (command: string, program: Command) =>
  (error: CommanderError): never => {
    if (!error.message.startsWith("error: ")) throw error;
    const [what = ""] = error.message.replace("error: ", "").split("\n");
    throw new DynnError(
      "cli/usage",
      `${command}: ${what.replace(/\.$/, "")}.${guessFor(what, program)} Run \`${command} --help\` to see its arguments and options.`,
      { command },
    );
  };

/** The command or the option that an unknown one may mean. */
function guessFor(what: string, { commands, options }: Command): string {
  const [, kind, word = ""] = /^unknown (command|option) '([^'=]+)/.exec(what) ?? [];
  if (kind === undefined) return "";
  const flags = options.flatMap(({ long }) => long ?? []);
  return didYouMean(word, kind === "command" ? commands.map((one) => one.name()) : [...flags, "--help"]);
}
