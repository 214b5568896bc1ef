/** @file The state in the address: a link restores what the sender sees. Pictures of the reader's
 *  own are in the link too; a model file is not. */
import type { Rule } from "dynn/web";
import { FIRST_SETTINGS, GOAL_IDS, type GoalId, type Settings } from "./goals.js";
import type { State } from "./state.js";

/** What a link holds. */
export interface Place {
  /** Number of an image of the set. */
  readonly image: number | undefined;
  /** An image of the reader's own: one byte per value. */
  readonly own: Uint8Array | undefined;
  readonly goal: GoalId;
  readonly settings: Settings;
  readonly rule: Rule | undefined;
  readonly thresholds: readonly number[] | undefined;
  /** The attacks that run when the link is opened. */
  readonly runs: readonly GoalId[];
  readonly frame: number | undefined;
  readonly magnify: number | undefined;
  readonly story: string | undefined;
  /** Name of the file that the sender had opened. */
  readonly model: string | undefined;
}

/** Bytes of an image that still fits into a link. */
const MOST_BYTES = 8192;
const RULES: readonly string[] = ["max-softmax", "entropy", "margin", "patience"];

const numbers = (text: string | null): number[] | undefined => {
  if (text === null || text === "") return undefined;
  const found = text.split(",").map(Number);
  return found.every(Number.isFinite) ? found : undefined;
};

const whole = (text: string | null): number | undefined =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

const goalsIn = (text: string | null): GoalId[] => {
  const names = (text ?? "").split(",");
  return GOAL_IDS.filter((id) => names.includes(id) || names.includes("all"));
};

/** Read a link. What it does not say, or says wrongly, keeps its default. */
export function readPlace(hash: string): Place {
  const from = new URLSearchParams(hash.replace(/^#/, ""));
  const text = (name: string, fallback: string): string => from.get(name) ?? fallback;
  const rule = from.get("rule");
  const steps = from.get("steps");
  const { method, norm, radius, seed } = FIRST_SETTINGS;
  return {
    image: whole(from.get("image")),
    own: bytesOf(from.get("pixels")),
    goal: goalsIn(from.get("goal"))[0] ?? "slow",
    settings: {
      method: text("method", method),
      norm: text("norm", norm),
      radius: text("radius", radius),
      steps: steps === "usual" ? null : (whole(steps) ?? FIRST_SETTINGS.steps),
      seed: whole(from.get("seed")) ?? seed,
    },
    rule: rule !== null && RULES.includes(rule) ? (rule as Rule) : undefined,
    thresholds: numbers(from.get("thresholds")),
    runs: goalsIn(from.get("run")),
    frame: whole(from.get("frame")),
    magnify: whole(from.get("magnify")),
    story: from.get("story") ?? undefined,
    model: from.get("model") ?? undefined,
  };
}

/** Write the state as a link. */
export function writePlace(state: State): string {
  const { shown, goal, settings, facts, policy, runs, magnify, story } = state;
  const to = new URLSearchParams();
  const put = (name: string, value: string | number, usual?: string | number): void => {
    if (value !== usual) to.set(name, String(value));
  };
  if (story) put("story", story);
  if (facts && !facts.bundled) put("model", facts.name);
  if (shown) putImage(put, shown);
  put("goal", goal);
  for (const name of ["method", "norm", "radius", "seed"] as const) put(name, settings[name], FIRST_SETTINGS[name]);
  put("steps", settings.steps ?? "usual", FIRST_SETTINGS.steps ?? "usual");
  if (policy && facts && !samePolicy(policy, facts.policy)) {
    put("rule", policy.rule, "max-softmax");
    put("thresholds", policy.thresholds.map((t) => Number(t.toPrecision(6))).join(","));
  }
  const ran = GOAL_IDS.filter((id) => runs[id].frames.length > 0);
  if (ran.length > 0) put("run", ran.length === GOAL_IDS.length ? "all" : ran.join(","));
  const run = runs[goal];
  if (run.status === "done" && run.at < run.frames.length - 1) put("frame", run.at);
  put("magnify", magnify, 10);
  return `#${to.toString().replaceAll("%2F", "/").replaceAll("%2C", ",")}`;
}

type Put = (name: string, value: string | number) => void;

function putImage(put: Put, { id, pixels }: NonNullable<State["shown"]>): void {
  if (id >= 0) put("image", id);
  else if (pixels.length <= MOST_BYTES) put("pixels", textOf(Uint8Array.from(pixels, (v) => Math.round(v * 255))));
}

/** Whether two policies are one. */
export const samePolicy = (a: NonNullable<State["policy"]>, b: NonNullable<State["policy"]>): boolean =>
  a.rule === b.rule &&
  a.thresholds.length === b.thresholds.length &&
  a.thresholds.every((t, i) => t === b.thresholds[i]);

/** Bytes as text that needs no escape in an address. */
const textOf = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

function bytesOf(text: string | null): Uint8Array | undefined {
  if (text === null || !/^[\w-]+$/.test(text) || text.length > 2 * MOST_BYTES) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}
