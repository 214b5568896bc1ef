/** @file The tables of `dynn study query` that describe tasks, networks and attacks, column by
 *  column. The tables of results are in tables.ts. docs/study-tables.md lists both. */
import type { Columns, ColumnType } from "../columns.js";

/** What a task is about. */
export interface SubjectRow {
  readonly key: string;
  readonly data: string;
  readonly network: string;
  readonly surrogate: string;
  readonly attack: string;
  readonly exits: string;
  readonly records: string;
}

/** The columns that every table of results has beside its own. */
export const SUBJECT_COLUMNS: Columns<SubjectRow> = {
  key: ["STRING", "key of the task"],
  data: ["STRING", "name of the data set; empty: the task reads no records"],
  network: ["STRING", "network that answers, that is attacked, or that is trained"],
  surrogate: ["STRING", "network that the images were made on; empty: clean images"],
  attack: ["STRING", "name of the attack; empty: clean images"],
  exits: ["STRING", "outputs of the attacked network that were kept, with commas between; empty: all"],
  records: ["STRING", "reported, validation, checks or training; empty: the task reads no records"],
};

/** A finished task. */
export interface TaskRow extends SubjectRow {
  readonly kind: string;
  readonly seconds: number | null;
  readonly version: string;
}

/** The table `tasks`: one row per finished task. */
export const TASK_COLUMNS: Columns<TaskRow> = {
  ...SUBJECT_COLUMNS,
  kind: ["STRING", "kind of the task"],
  seconds: ["nullable DOUBLE", "wall time of the task; null: not measured"],
  version: ["STRING", "version of dynn that did the task"],
};

/** A network in its block. */
export interface NetworkRow {
  readonly name: string;
  readonly role: string;
  readonly block: string;
  readonly cell: string;
  readonly architecture: string;
  readonly data: string;
  readonly seed: number;
  readonly parameters: number;
  readonly exits: number;
  readonly legalCuts: number;
  readonly sha256: string;
}

/** The table `networks`: one row per network of a block. */
export const NETWORK_COLUMNS: Columns<NetworkRow> = {
  name: ["STRING", "name in the other tables"],
  role: ["STRING", "static, joint, ic-only, small-static, dense or dense-joint"],
  block: ["STRING", "cell and training seed"],
  cell: ["STRING", "architecture and data set"],
  architecture: ["STRING", "name of the architecture"],
  data: ["STRING", "name of the data set"],
  seed: ["INT32", "training seed"],
  parameters: ["DOUBLE", "number of weights"],
  exits: ["INT32", "number of exits, with the final one"],
  legalCuts: ["INT32", "places where an exit could be"],
  sha256: ["STRING", "digest of the model with its weights; empty: not trained yet"],
};

/** An exit of a network. */
export interface ExitRow {
  readonly network: string;
  readonly exit: number;
  readonly name: string;
  readonly output: string;
  readonly macs: number;
  readonly costFraction: number;
}

/** The table `exits`: one row per exit of a network. */
export const EXIT_COLUMNS: Columns<ExitRow> = {
  network: ["STRING", "name of the network"],
  exit: ["INT32", "index of the exit, from 0"],
  name: ["STRING", "name of the exit"],
  output: ["STRING", "output of the model, as the column exits of other tables names it"],
  macs: ["DOUBLE", "multiply-accumulates up to the exit"],
  costFraction: ["DOUBLE", "the same as a share of the final exit's"],
};

/** A gate of a network of the plan. */
export interface GateUnitRow {
  readonly network: string;
  readonly gate: number;
  readonly name: string;
  readonly exit: number;
  readonly macs: number;
  readonly costFraction: number;
}

/** The table `gates`: one row per gate of a network. */
export const GATE_COLUMNS: Columns<GateUnitRow> = {
  network: ["STRING", "name of the network"],
  gate: ["INT32", "index of the gate, from 0"],
  name: ["STRING", "name of the gate"],
  exit: ["INT32", "index of the first exit behind the gate"],
  macs: ["DOUBLE", "multiply-accumulates that a closed gate saves"],
  costFraction: ["DOUBLE", "the same as a share of the final exit's"],
};

/** The threshold of one early exit. */
export interface PolicyRow {
  readonly key: string;
  readonly network: string;
  readonly target: string;
  readonly main: boolean;
  readonly exits: string;
  readonly rule: string;
  readonly fallback: string;
  readonly exit: number;
  readonly threshold: number;
}

/** The table `policies`: one row per policy and early exit. */
export const POLICY_COLUMNS: Columns<PolicyRow> = {
  key: ["STRING", "key of the task that chose the thresholds"],
  network: ["STRING", "name of the network"],
  target: ["STRING", "what the thresholds were chosen for, such as rad:5%"],
  main: ["BOOLEAN", "whether it is the first target of the plan, which the verdicts use"],
  exits: ["STRING", "outputs that were kept, with commas between; empty: all"],
  rule: ["STRING", "exit rule"],
  fallback: ["STRING", "exit that answers when no early exit fires: final or most-confident"],
  exit: ["INT32", "index of the early exit in the whole network"],
  threshold: ["DOUBLE", "its threshold; for patience, the exits in a row that must agree"],
};

/** An attack of the plan. */
export interface AttackRow {
  readonly name: string;
  readonly place: number;
  readonly made: string;
  readonly uses: string;
  readonly family: string;
  readonly method: string;
  readonly goal: string;
  readonly radius: number | null;
}

/** The table `attacks`: one row per attack of the plan. */
export const ATTACK_COLUMNS: Columns<AttackRow> = {
  name: ["STRING", "name in the other tables"],
  place: ["INT32", "place in the plan, from 0"],
  made: ["STRING", "networks that it is made on: static, dynamic or any"],
  uses: ["STRING", "questions that read its images, with spaces between"],
  family: ["STRING", "fixed budget, minimum norm, query, slowdown or control"],
  method: ["STRING", "method of the attack"],
  goal: ["STRING", "goal of the attack"],
  radius: ["nullable DOUBLE", "radius in pixel units; null: the attack finds the least one"],
};

/** One set of images that a task `latency` timed. */
export interface TimedSetRow {
  readonly key: string;
  readonly set: number;
  readonly surrogate: string;
  readonly attack: string;
}

/** The table `timedSets`: what the sets of the table `latency` are. */
export const TIMED_SET_COLUMNS: Columns<TimedSetRow> = {
  key: ["STRING", "key of the task"],
  set: ["INT32", "index of the set; 0: clean images"],
  surrogate: ["STRING", "network that the images were made on; empty: clean images"],
  attack: ["STRING", "name of the attack; empty: clean images"],
};

/** One contestant of a task `pace`. */
export interface ContestantRow {
  readonly key: string;
  readonly contestant: number;
  readonly network: string;
  readonly attack: string;
}

/** The table `contestants`: what the contestants of the table `pace` are. */
export const CONTESTANT_COLUMNS: Columns<ContestantRow> = {
  key: ["STRING", "key of the task"],
  contestant: ["INT32", "index of the contestant"],
  network: ["STRING", "network that is attacked"],
  attack: ["STRING", "name of the attack"],
};

/** Columns of any table, for code that treats all tables alike. */
export type AnyColumns = { readonly [name: string]: readonly [type: ColumnType, about: string] };

/** The tables that describe a study, by name. */
export const STUDY_VIEWS = {
  tasks: TASK_COLUMNS,
  networks: NETWORK_COLUMNS,
  exits: EXIT_COLUMNS,
  gates: GATE_COLUMNS,
  policies: POLICY_COLUMNS,
  attacks: ATTACK_COLUMNS,
  timedSets: TIMED_SET_COLUMNS,
  contestants: CONTESTANT_COLUMNS,
} as const;
