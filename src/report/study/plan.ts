/** @file What is needed to make the study again: the plan and its digest, versions, machines,
 *  seed. */
import type { StudyRecord } from "../../schema/study/record.js";
import { type Fact, list } from "../audit/methods.js";
import * as write from "../shared/format.js";
import { html } from "../shared/html.js";
import { jsonTable } from "../shared/settings.js";
import type { Section } from "../shared/shell.js";
import { folded } from "./figure.js";

const named = (values: readonly string[]): string => (values.length === 0 ? "not recorded" : values.join("; "));

export function planSection({ plan, tool, seed, environment }: StudyRecord): Section {
  const facts: Fact[] = [
    ["plan, SHA-256", html`<code>${plan.sha256}</code>`],
    ["plan", plan.edited ? html`<b class="wrong">edited after the study began</b>` : "unchanged since the study began"],
    ["seed", seed],
    ["made by", `${tool.name} ${tool.version}`],
    ["versions", named(environment.versions)],
    ["machines", named(environment.machines)],
    ["time of all tasks", write.duration(environment.seconds)],
  ];
  return {
    id: "plan",
    title: "Plan, versions, machines",
    body: html`${list(facts)}${folded("The plan", jsonTable("What the plan fixed before the study began.", plan.text))}`,
  };
}
