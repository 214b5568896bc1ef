/** @file `dynn completion`: prints the script by which a shell completes the words of dynn. */
import type { Command } from "commander";
import { ownIndex } from "../../node/zoo/index-file.js";
import type { ZooIndex } from "../../schema/zoo.js";
import type { Io } from "../shared/io.js";
import { oneOf } from "../shared/options.js";
import { SCRIPTS } from "./scripts.js";
import { nodesOf } from "./tree.js";

export const completionCommand = (command: Command, io: Io): Command =>
  command.addHelpText("after", HELP).action(async (shell: string) => {
    const script = SCRIPTS[oneOf(SHELLS)(shell, "dynn completion")];
    io.out(script(nodesOf(command.parent ?? command), trained(await ownIndex())));
  });

/** The networks that there are, earlier names first. */
const trained = ({ networks, aliases }: ZooIndex): string[] =>
  [...Object.entries(aliases), ...Object.keys(networks).map((name) => [name, name] as const)].flatMap(
    ([name, meant]) => (networks[meant].result === null ? [] : [name]),
  );

const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

const HELP = `
Examples:
  # Once, for every new bash
  $ echo 'source <(dynn completion bash)' >> ~/.bashrc

  # The same for zsh and for fish
  $ echo 'source <(dynn completion zsh)' >> ~/.zshrc
  $ dynn completion fish > ~/.config/fish/completions/dynn.fish`;
