/** @file `dynn zoo`: lists, shows, fetches, checks and trains the networks of the study. */
import type { Command } from "commander";
import type { Io } from "../shared/io.js";
import { type Action, addActions } from "../shared/subcommands.js";
import { getCommand } from "./get.js";
import { infoCommand } from "./info.js";
import { listCommand } from "./list.js";
import { trainZooCommand } from "./train.js";
import { verifyCommand } from "./verify.js";

const ACTIONS: readonly Action[] = [
  {
    name: "list",
    about: "List the networks: what is trained, its accuracy and size, and where its file is.",
    complete: listCommand,
  },
  {
    name: "info",
    about: "Show one network: recipe, accuracy and cost of every exit, and how to get or train it.",
    argument: "<name>",
    complete: infoCommand,
  },
  {
    name: "train",
    about: "Train what is missing, one network after the other. Goes on where it was stopped.",
    argument: "[names...]",
    complete: trainZooCommand,
  },
  {
    name: "get",
    about: "Copy networks from the mirrors that DYNN_ZOO names into the cache.",
    argument: "<names...>",
    complete: getCommand,
  },
  {
    name: "verify",
    about: "Compare files with the index; with --data, measure their accuracy again.",
    argument: "[names...]",
    complete: verifyCommand,
  },
];

export const zooCommand = (command: Command, io: Io): Command =>
  addActions(command, io, ACTIONS).addHelpText("after", HELP);

const HELP = `
A network is named ARCHITECTURE[-wWIDTH]-DATA-RECIPE[-sSEED]. zoo:NAME names it
in every command. dynn looks in the package, in an installed package
dynn-zoo-NAME, in the cache (DYNN_CACHE), and in the folders and addresses that
DYNN_ZOO names (with commas). Every file is compared with its SHA-256.
zoo:NAME@sha256:HEX accepts these bytes alone.

Examples:
  $ dynn zoo list --tier small
  $ dynn zoo info resnet20-cifar10-joint
  $ dynn zoo train --tier small --data data --plan
  $ DYNN_ZOO=https://example.org/zoo dynn zoo get resnet20-cifar10-joint-s1`;
