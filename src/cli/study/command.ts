/** @file `dynn study`: plans, runs and reports a study of networks, attacks and claims. */
import type { Command } from "commander";
import type { Io } from "../shared/io.js";
import { type Action, addActions } from "../shared/subcommands.js";
import { exportCommand } from "./export.js";
import { planCommand } from "./plan.js";
import { queryCommand } from "./query.js";
import { reportCommand } from "./report.js";
import { runCommand } from "./run.js";
import { statusCommand } from "./status.js";

const ACTIONS: readonly Action[] = [
  {
    name: "plan",
    about: "Write the plan of a study: its tasks, their hours on this machine, its power, and what is missing.",
    argument: "[file]",
    complete: planCommand,
  },
  {
    name: "run",
    about: "Run a plan, or go on with it. Every finished task stays, whatever happens.",
    argument: "<plan>",
    complete: runCommand,
  },
  {
    name: "status",
    about: "Show what is done of a study, and what was set aside.",
    argument: "<dir>",
    complete: statusCommand,
  },
  {
    name: "report",
    about: "Write the verdicts of a study with all figures as one page.",
    argument: "<dir>",
    complete: reportCommand,
  },
  {
    name: "query",
    about: "Answer a question in SQL about the results of a study.",
    argument: "<dir>",
    complete: queryCommand,
  },
  {
    name: "export",
    about: "Write the routed results of a study as one sorted table, or the networks that it has trained.",
    argument: "<dir>",
    complete: exportCommand,
  },
];

export const studyCommand = (command: Command, io: Io): Command =>
  addActions(command, io, ACTIONS).addHelpText("after", HELP);

const HELP = `
A study asks up to six questions about static and dynamic networks (C0 to C5,
see docs/study.md). Its plan is fixed before the first attack, and verdicts name
the plan's hash.

Examples:
  # The small study on bundled networks, in a few minutes
  $ dynn study plan --tier demo -o demo.json
  $ dynn study run demo.json --out demo
  $ dynn study report demo -o demo.html

  # A study of one's own networks (docs/study-file.md)
  $ dynn study plan mine.yaml -o mine.json`;
