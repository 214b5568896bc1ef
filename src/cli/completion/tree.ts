/** @file What a shell can complete: every command with its options and the words that they take,
 *  from commander's own tree. */
import type { Command, Option } from "commander";
import { wordsOf } from "../shared/options.js";

/** An option as a shell sees it. */
export interface Completed {
  /** "--rule", and its short form where it has one. */
  readonly flags: readonly string[];
  readonly about: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** The values that it takes. Empty: any value, such as a file. */
  readonly words: readonly string[];
}

/** A command as a shell sees it. */
export interface Node {
  /** "zoo list"; "" for dynn itself. */
  readonly path: string;
  readonly about: string;
  /** The commands below it: name and description. */
  readonly commands: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly Completed[];
  /** Whether an argument is a network, which may be zoo:NAME. */
  readonly takesModel: boolean;
}

/** All commands, dynn itself first. */
export function nodesOf(command: Command, path = ""): Node[] {
  const below = command.commands;
  const own: Node = {
    path,
    about: command.description(),
    commands: below.map((one) => ({ name: one.name(), about: one.description() })),
    options: command.createHelp().visibleOptions(command).map(completed),
    takesModel: command.registeredArguments.some(({ description }) => description.includes("zoo:NAME")),
  };
  return [own, ...below.flatMap((one) => nodesOf(one, `${path} ${one.name()}`.trim()))];
}

const completed = (option: Option): Completed => ({
  flags: [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
  about: option.description,
  takesValue: option.required || option.optional,
  words: wordsOf(option) ?? [],
});
