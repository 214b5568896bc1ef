/** @file What each task of a study is about: network, attack, kept exits and records, read from its
 *  parameters and its inputs. */
import type { StudyPlan } from "../../schema/study/plan.js";
import type { DataRef, NetworkRef } from "../../schema/study/references.js";
import type { SubjectRow } from "../../schema/study/views.js";
import type { TaskGraph } from "../tasks/graph.js";
import type { Task, TaskKey } from "../tasks/task.js";
import type { StudyTasks } from "./builder.js";

/** A task with what it is about. */
export interface TaskTopic extends SubjectRow {
  readonly task: Task;
}

/** All tasks of a study, in their order.
 * @example subjectsOf(compileStudy(plan).tasks).filter(({ task }) => task.kind === "answers") */
export const subjectsOf = ({ graph, plan }: Pick<StudyTasks, "graph" | "plan">): TaskTopic[] =>
  graph.all().map(({ key, task }) => ({ key, ...subjectOf(task, graph, plan), task }));

/** The fields of parameters that say what a task is about. */
interface Told {
  readonly network?: Pick<NetworkRef, "name" | "exits"> | undefined;
  readonly data?: Pick<DataRef, "name" | "sha256"> | undefined;
  readonly attack?: { readonly name: string } | undefined;
  readonly exits?: readonly number[] | undefined;
}

const told = ({ parameters }: Task): Told => parameters;

function subjectOf(task: Task, graph: TaskGraph, plan: StudyPlan): Omit<SubjectRow, "key"> {
  const { network, data, attack } = told(task);
  const own = { data: data?.name ?? "", records: data ? recordsOf(data, plan) : "" };
  if (task.kind === "thresholds") return thresholdSubject(task, graph, plan);
  if (task.kind === "answers") return { ...own, network: network?.name ?? "", ...madeOn(imagesOf(task)[0], graph) };
  return { ...own, network: network?.name ?? "", surrogate: "", attack: attack?.name ?? "", exits: keptBy(network) };
}

/** The tasks whose attacked images a task reads. */
export const imagesOf = ({ inputs }: Task): readonly TaskKey[] =>
  Object.hasOwn(inputs, "images") ? inputs.images : [];

/** On what the images of an attack were made. */
export function madeOn(
  crafted: TaskKey | undefined,
  graph: TaskGraph,
): Pick<SubjectRow, "surrogate" | "attack" | "exits"> {
  if (crafted === undefined) return { surrogate: "", attack: "", exits: "" };
  const { network, attack } = told(graph.get(crafted));
  return { surrogate: network?.name ?? "", attack: attack?.name ?? "", exits: keptBy(network) };
}

/** A policy is chosen on the validation records of its network. */
function thresholdSubject(task: Task, graph: TaskGraph, plan: StudyPlan): Omit<SubjectRow, "key"> {
  const { gated } = task.parameters as { readonly gated?: Told };
  const { network, data } = gated ?? told(graph.get(task.inputs.answers[0]));
  const all = plan.networks[network?.name ?? ""].exits;
  const exits = (told(task).exits ?? []).map((k) => all[k].output).join();
  const records = data ? recordsOf(data, plan) : "";
  return { data: data?.name ?? "", network: network?.name ?? "", surrogate: "", attack: "", exits, records };
}

const keptBy = (network: Pick<NetworkRef, "exits"> | undefined): string => (network?.exits ?? []).join();

/** Which records of the plan a reference names. All reported records can be the checks too. */
function recordsOf({ name, sha256 }: Pick<DataRef, "name" | "sha256">, { data }: StudyPlan): string {
  const known = data[name];
  const parts = ["reported", "validation", "checks", "training"] as const;
  return parts.find((which) => known?.[which]?.sha256 === sha256) ?? "";
}
