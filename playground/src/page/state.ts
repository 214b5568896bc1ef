/** @file The state of the page, and who is told when it changes. */
import type { Catalogue } from "dynn/web";
import { useEffect, useState } from "preact/hooks";
import type {
  AttackEnd,
  CurvePoint,
  Frame,
  ImageSet,
  NetworkFacts,
  PagePolicy,
  Provider,
  Reading,
  Survey,
} from "../shared/messages.js";
import { FIRST_SETTINGS, type GoalId, type Settings } from "./goals.js";

/** One attack: the frames so far, and the one that is shown. */
export interface Run {
  readonly status: "idle" | "running" | "done" | "failed" | "stopped";
  readonly frames: readonly Frame[];
  readonly at: number;
  readonly end?: AttackEnd | undefined;
  readonly error?: string | undefined;
  /** Number of the call, with which it can be stopped. */
  readonly call?: number | undefined;
}

export const IDLE: Run = { status: "idle", frames: [], at: 0 };
export const NO_RUNS: Readonly<Record<GoalId, Run>> = { slow: IDLE, early: IDLE, wrong: IDLE };

/** The image that the page is about. */
export interface Shown {
  /** Number in the set, or -1 for an image of the reader's own. */
  readonly id: number;
  readonly pixels: Float32Array;
  /** The true class in the network's classes. Null when nobody knows it. */
  readonly label: number | null;
  readonly name: string;
}

export interface State {
  readonly stage: "loading" | "ready" | "failed";
  /** Why the engine or a file failed, in the words of the command. */
  readonly error: string | undefined;
  readonly busy: string | undefined;
  readonly provider: Provider;
  readonly facts: NetworkFacts | undefined;
  readonly catalogue: Catalogue | undefined;
  readonly set: ImageSet | undefined;
  /** Labels of the set in the network's classes. Null when its classes are others. */
  readonly labels: readonly number[] | null;
  readonly shown: Shown | undefined;
  readonly clean: Reading | undefined;
  readonly policy: PagePolicy | undefined;
  readonly settings: Settings;
  readonly goal: GoalId;
  readonly runs: Readonly<Record<GoalId, Run>>;
  readonly survey: Survey | undefined;
  readonly surveyError: string | undefined;
  readonly surveyed: readonly [number, number] | undefined;
  readonly curve: readonly CurvePoint[] | undefined;
  readonly times: readonly number[] | undefined;
  readonly magnify: number;
  readonly story: string | undefined;
  /** Links that are shown, the address of the start included. */
  readonly visits: number;
}

let state: State = {
  stage: "loading",
  error: undefined,
  busy: undefined,
  provider: "wasm",
  facts: undefined,
  catalogue: undefined,
  set: undefined,
  labels: null,
  shown: undefined,
  clean: undefined,
  policy: undefined,
  settings: FIRST_SETTINGS,
  goal: "slow",
  runs: NO_RUNS,
  survey: undefined,
  surveyError: undefined,
  surveyed: undefined,
  curve: undefined,
  times: undefined,
  magnify: 10,
  story: undefined,
  visits: 0,
};

const listeners = new Set<() => void>();
let told = false;

export const get = (): State => state;

/** Change the state. The page is drawn at most once for each frame of the screen. */
export function set(change: Partial<State>): void {
  state = { ...state, ...change };
  if (told) return;
  told = true;
  requestAnimationFrame(() => {
    told = false;
    for (const listener of listeners) listener();
  });
}

/** Call a function after each change. */
export function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The state, in a component that is drawn again when it changes. */
export function useApp(): State {
  const [, draw] = useState(0);
  useEffect(() => onChange(() => draw((n) => n + 1)), []);
  return state;
}

export const setRun = (goal: GoalId, change: Partial<Run>): void =>
  set({ runs: { ...state.runs, [goal]: { ...state.runs[goal], ...change } } });

/** The frame that a run shows. */
export const frameOf = ({ frames, at }: Run): Frame | undefined => frames[Math.min(at, frames.length - 1)];
