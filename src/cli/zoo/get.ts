/** @file `dynn zoo get`: copies networks from the mirrors into the cache. */
import type { Command } from "commander";
import { keepNetwork } from "../../node/zoo/get.js";
import type { Io } from "../shared/io.js";

export const getCommand = (command: Command, io: Io): Command =>
  command.action(async (names: readonly string[]) => {
    for (const name of names) {
      io.signal.throwIfAborted();
      const { path, kind, sha256, name: own } = await keepNetwork(name);
      io.out(`${own}: ${kind}, ${path}, sha256 ${sha256}\n`);
    }
  });
