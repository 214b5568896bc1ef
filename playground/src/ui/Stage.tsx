/** @file The stage: the image, the button that attacks it, and the steps of the attack. */
import { useMemo } from "preact/hooks";
import { runGoal, stop } from "../page/actions.js";
import { GOAL_IDS, GOAL_TEXTS } from "../page/goals.js";
import { enlarged } from "../page/picture.js";
import { frameOf, type Run, type State, set, setRun } from "../page/state.js";
import type { NetworkFacts } from "../shared/messages.js";
import { Cost } from "./Cost.js";
import { won } from "./Goals.js";
import { Picture } from "./Picture.js";
import { article, steps } from "./text.js";

const FACTORS = [1, 5, 10, 20, 50, 100];

export function Stage({ state }: { readonly state: State }) {
  const { facts, shown, goal, runs, magnify } = state;
  const run = runs[goal];
  const frame = frameOf(run);
  const pixels = frame?.pixels ?? shown?.pixels;
  const change = useMemo(
    () => (pixels && shown ? enlarged(pixels, shown.pixels, magnify) : undefined),
    [pixels, shown, magnify],
  );
  if (!facts || !shown) return null;
  return (
    <section class="card stage" aria-labelledby="stage-title">
      <h2 id="stage-title">
        {shown.label === null ? shown.name : `This is ${article(facts.classes[shown.label])}`}
        <small>{shown.id < 0 ? "" : ` image ${shown.id}`}</small>
      </h2>
      <div class="pictures">
        <figure>
          <Picture
            pixels={pixels}
            dims={facts.dims}
            label={frame && run.at > 0 ? "the attacked image" : "the image"}
            class="large"
          />
          <figcaption>{frame && run.at > 0 ? "what the network sees" : "the image"}</figcaption>
        </figure>
        <figure>
          <Picture pixels={change} dims={facts.dims} label="the change, enlarged" class="large" />
          <figcaption>
            <label>
              the change, enlarged{" "}
              <select value={magnify} onChange={(event) => set({ magnify: Number(event.currentTarget.value) })}>
                {FACTORS.map((factor) => (
                  <option key={factor} value={factor}>
                    {factor}×
                  </option>
                ))}
              </select>
            </label>
          </figcaption>
        </figure>
      </div>
      <Cost state={state} />
      <Act state={state} run={run} />
      <Steps state={state} run={run} facts={facts} />
    </section>
  );
}

/** The one large button of the page. */
function Act({ state, run }: { readonly state: State; readonly run: Run }) {
  const { goal, clean, facts } = state;
  const running = run.status === "running";
  const single = facts?.exits.length === 1;
  const text = single ? GOAL_TEXTS.wrong.action : GOAL_TEXTS[goal].action;
  return (
    <div class="act">
      <button
        type="button"
        class="primary"
        disabled={!clean}
        onClick={() => (running ? stop(goal) : void runGoal(goal))}
      >
        {running ? "Stop" : text}
      </button>
      {!single && (
        <fieldset class="choice">
          <legend>Goal</legend>
          {GOAL_IDS.map((id) => (
            <label key={id}>
              <input type="radio" name="goal" checked={goal === id} onChange={() => set({ goal: id })} />
              <span>{GOAL_TEXTS[id].name}</span>
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}

interface StepsProps {
  readonly state: State;
  readonly run: Run;
  readonly facts: NetworkFacts;
}

/** Every step is a frame. The slider goes back. */
function Steps({ state, run, facts }: StepsProps) {
  const { goal } = state;
  const last = run.frames.length - 1;
  if (last < 0) return <p class="hint">Nothing is changed yet. One click attacks the image; you see every step.</p>;
  const show = (at: number): void => setRun(goal, { at: Math.max(0, Math.min(last, at)) });
  return (
    <div class="steps">
      <div class="scrub">
        <button type="button" class="plain" aria-label="One step back" onClick={() => show(run.at - 1)}>
          ‹
        </button>
        <input
          type="range"
          aria-label="Step of the attack"
          min={0}
          max={last}
          value={run.at}
          onInput={(event) => show(Number(event.currentTarget.value))}
        />
        <button type="button" class="plain" aria-label="One step forward" onClick={() => show(run.at + 1)}>
          ›
        </button>
        <output>
          {run.at === 0 ? "clean" : `step ${run.at}`} of {last}
        </output>
      </div>
      <Result state={state} run={run} facts={facts} />
    </div>
  );
}

function Result({ state, run, facts }: StepsProps) {
  const { goal, shown } = state;
  const frame = frameOf(run);
  if (run.status === "failed")
    return (
      <p class="result bad" role="alert">
        {run.error}
      </p>
    );
  if (!frame || !shown || run.at === 0)
    return <p class="result">This is the clean image. Move right to attack it again, step by step.</p>;
  const id = facts.exits.length === 1 ? "wrong" : goal;
  return (
    <p
      class={`result ${frame.success && frame.rounded ? "good" : ""}`}
      role={run.status === "done" ? "status" : undefined}
    >
      <b>
        {frame.success
          ? won(id, frame, facts)
          : run.status === "running"
            ? "Not there yet."
            : "Not reached at this step."}
      </b>{" "}
      {frame.success &&
        (frame.rounded ? "Still fools after rounding to 8 bits: yes." : "Still fools after rounding to 8 bits: no.")}
      {run.end && (
        <small>
          {" "}
          Largest change {steps(run.end.linf)}, {run.end.changed} of {shown.pixels.length} values changed;{" "}
          {run.end.queries} images and {run.end.gradients} gradients asked in {(run.end.ms / 1000).toFixed(2)} s.
        </small>
      )}
    </p>
  );
}
