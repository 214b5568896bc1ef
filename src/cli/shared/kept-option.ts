/** @file The option `--store` of commands whose tasks can outlive the call. */
import type { Option } from "commander";
import { taskKeeper } from "../../node/studies/task-keeper.js";
import type { TaskKeeper } from "../../studies/tasks/kept-tasks.js";
import { file, option } from "./options.js";

export const keptOption = (): Option =>
  option(
    "--store <dir>",
    "keep finished tasks in this folder; a later call takes equal ones from it, such as the same attack on the same model and records",
    file,
  );

/** What the option gives. */
export const keeperOf = ({ store }: { readonly store?: string }): Promise<TaskKeeper> | undefined =>
  store === undefined ? undefined : taskKeeper(store);
