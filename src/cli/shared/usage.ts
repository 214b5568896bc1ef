/** @file Turns errors of commander into errors of dynn. */
import type { CommanderError } from "commander";
import { DynnError } from "../../core/errors.js";

/** Turns an error of commander into a DynnError. Help and version are not errors: they pass. */
export const refuseFor =
  (command: string) =>
  (error: CommanderError): never => {
    if (!error.message.startsWith("error: ")) throw error;
    const [what = "", guess] = error.message.replace("error: ", "").split("\n");
    const hint = guess === undefined ? "" : `${guess.replace(/^\(|\)$/g, "")} `;
    throw new DynnError(
      "cli/usage",
      `${command}: ${what.replace(/\.$/, "")}. ${hint}Run \`${command} --help\` to see its arguments and options.`,
      { command },
    );
  };
