/** @file Tries many cases, one after the other, and keeps count. */
import type { Answer } from "./child.js";
import { type Failure, Tester } from "./tester.js";

export interface Finding extends Failure {
  readonly index: number;
  readonly keep: readonly number[];
}

export interface Extreme {
  readonly index: number;
  readonly value: number;
}

export interface Summary {
  readonly tried: number;
  /** Inputs that every stage accepted. */
  readonly accepted: number;
  /** Inputs by the way that they were made. */
  readonly ways: ReadonlyMap<string, number>;
  /** How often each stage gave each code: "read model/parse" -> count. */
  readonly refused: ReadonlyMap<string, number>;
  /** Sessions that ONNX Runtime made or refused. */
  readonly sessions: number;
  /** The stage that took most processor time, milliseconds. */
  readonly slowest: Extreme & { readonly stage: string };
  /** The input that made the process's memory grow most, bytes. */
  readonly hungriest: Extreme;
  /** The largest memory of the process, bytes. */
  readonly peakBytes: number;
  /** One finding of each kind, and how often it came. */
  readonly findings: ReadonlyMap<string, { readonly finding: Finding; count: number }>;
}

export interface Campaign {
  readonly seed: number;
  readonly from: number;
  /** Whether case `index` is still to be tried. */
  readonly more: (index: number) => boolean;
  /** Every so many cases, sessions are made too. */
  readonly sessionEvery: number;
  readonly progress?: (tried: number, findings: number) => void;
  /** Told of each new kind of failure at once. */
  readonly found?: (finding: Finding) => void;
}

/** Try cases until there are no more. */
export async function run(campaign: Campaign): Promise<Summary> {
  const tester = new Tester();
  const tally = new Tally();
  try {
    for (let index = campaign.from; campaign.more(index); index++) {
      const order = { seed: campaign.seed, index, sessions: index % campaign.sessionEvery === 0 };
      const { answer, failure } = await tester.try(order);
      tally.tried++;
      if (answer) tally.add(index, answer, failure);
      const finding = failure && (await note(tally.findings, tester, order, failure));
      if (finding) campaign.found?.(finding);
      campaign.progress?.(tally.tried, tally.findings.size);
    }
  } finally {
    tester.stop();
  }
  return tally;
}

/** A summary that grows. */
class Tally implements Summary {
  tried = 0;
  accepted = 0;
  sessions = 0;
  peakBytes = 0;
  slowest = { index: 0, value: 0, stage: "" };
  hungriest = { index: 0, value: 0 };
  readonly ways = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly findings = new Map<string, { finding: Finding; count: number }>();

  add(index: number, { verdict, way, slowest, grownBytes, peakBytes }: Answer, failure: Failure | undefined): void {
    const codes = Object.entries(verdict).filter(([, code]) => code !== "ok");
    if (!failure && codes.length === 0) this.accepted++;
    for (const [stage, code] of codes) countIn(this.refused, `${stage} ${code}`);
    countIn(this.ways, way);
    this.sessions += Object.keys(verdict).filter((stage) => stage.includes("session")).length;
    if (slowest.ms > this.slowest.value) this.slowest = { index, value: slowest.ms, stage: slowest.stage };
    if (grownBytes > this.hungriest.value) this.hungriest = { index, value: grownBytes };
    this.peakBytes = Math.max(this.peakBytes, peakBytes);
  }
}

const countIn = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

/** Failures of one kind at one place are one finding; its first case is made as small as leaving out edits makes it, where
 *  trying again is cheap.
 * @returns the finding when it is a new one */
async function note(
  findings: Map<string, { finding: Finding; count: number }>,
  tester: Tester,
  order: { readonly seed: number; readonly index: number; readonly sessions: boolean },
  failure: Failure,
): Promise<Finding | undefined> {
  const key = keyOf(failure);
  const known = findings.get(key);
  if (known) {
    known.count++;
    return undefined;
  }
  let keep = [0, 1, 2, 3, 4];
  const isCheap = failure.kind === "thrown" || failure.kind === "crash";
  for (const edit of isCheap ? [...keep] : []) {
    const fewer = keep.filter((e) => e !== edit);
    const { failure: again } = await tester.try({ ...order, keep: fewer });
    if (again && keyOf(again) === key) keep = fewer;
  }
  const finding = { ...failure, index: order.index, keep };
  findings.set(key, { finding, count: 1 });
  return finding;
}

/** What makes two failures the same: kind and stage, for an exception its text without numbers and names. */
const keyOf = ({ kind, what, stage }: Failure): string =>
  kind === "thrown" ? what.replaceAll(/"[^"]*"/g, '""').replaceAll(/-?\d[\d.e+]*/g, "0") : `${kind} ${stage}`;
