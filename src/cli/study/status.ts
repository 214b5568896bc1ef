/** @file `dynn study status`: what is done of a study. */

import type { Command } from "commander";
import { counted } from "../../core/units.js";
import { openStore } from "../../node/store/open.js";
import { openStudy } from "../../node/studies/folder.js";
import { planHash } from "../../studies/study/compile.js";
import { common } from "../shared/common-options.js";
import type { Io } from "../shared/io.js";
import { checkJson, printWithJson } from "../shared/json-output.js";
import { heading, table } from "../shared/table.js";

export const statusCommand = (command: Command, io: Io): Command =>
  command
    .addOption(common("json"))
    .addHelpText("after", "\nExamples:\n  $ dynn study status demo")
    .action((folder: string, flags: { readonly json?: string }) => statusAction(folder, flags, io));

async function statusAction(folder: string, { json }: { readonly json?: string }, io: Io): Promise<void> {
  await checkJson(json);
  const { plan, compiled, edited, store: place } = await openStudy(folder);
  const store = await openStore(place);
  const all = compiled.tasks.graph.all();
  const done = await store.done(all.map(({ key }) => key));
  const kinds = [...new Set(all.map(({ task }) => task.kind))].map((kind) => {
    const own = all.filter(({ task }) => task.kind === kind);
    return { kind, done: own.filter(({ key }) => done.has(key)).length, total: own.length };
  });
  const value = { study: plan.name, plan: planHash(plan), edited, done: done.size, total: all.length, kinds };
  const text = () =>
    `${heading(`Study ${plan.name}: ${done.size} of ${counted(all.length, "task is", "tasks are")} done`)}${edited ? "The plan was edited after the study began.\n" : ""}${table(
      [{ head: "tasks", align: "left" }, { head: "done" }, { head: "of" }],
      kinds.map((row) => [row.kind, String(row.done), String(row.total)]),
    )}`;
  await printWithJson(io, json, { value, text });
}
