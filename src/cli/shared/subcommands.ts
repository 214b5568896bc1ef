/** @file Commands below a command, such as `dynn zoo list`. */
import { Command } from "commander";
import type { Io } from "./io.js";
import { refuseFor } from "./usage.js";

/** One command below another. */
export interface Action {
  readonly name: string;
  readonly about: string;
  readonly argument?: string;
  /** Adds options and work. */
  readonly complete: (command: Command, io: Io) => Command;
}

/** Adds commands below a command. */
export function addActions(command: Command, io: Io, actions: readonly Action[]): Command {
  for (const { name, about, argument, complete } of actions) {
    const part = new Command(name).description(about).copyInheritedSettings(command);
    part.exitOverride(refuseFor(`dynn ${command.name()} ${name}`, part));
    if (argument !== undefined) part.argument(argument);
    command.addCommand(complete(part, io));
  }
  return command;
}
