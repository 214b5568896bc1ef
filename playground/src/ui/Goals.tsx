/** @file Three goals side by side on the same image: each with its own picture, path and verdict. */
import { runAll, runGoal, setGoal, stop, stopAll } from "../page/actions.js";
import { GOAL_IDS, GOAL_TEXTS, type GoalId } from "../page/goals.js";
import { frameOf, type State } from "../page/state.js";
import type { Frame, NetworkFacts } from "../shared/messages.js";
import { Picture } from "./Picture.js";
import { percent } from "./text.js";

export function Goals({ state }: { readonly state: State }) {
  const { facts, shown, runs } = state;
  if (!facts || !shown) return null;
  const running = GOAL_IDS.some((id) => runs[id].status === "running");
  const ids = facts.exits.length > 1 ? GOAL_IDS : (["wrong"] as const);
  return (
    <section class="card goals" id="goals" aria-labelledby="goals-title">
      <div class="card-head">
        <h2 id="goals-title">{ids.length > 1 ? "Three goals, one image" : "Attack it"}</h2>
        {ids.length > 1 && (
          <button type="button" class="plain" onClick={() => (running ? stopAll() : void runAll())}>
            {running ? "Stop" : "Run all three"}
          </button>
        )}
      </div>
      <div class="goal-cards">
        {ids.map((id) => (
          <Goal key={id} id={id} state={state} facts={facts} />
        ))}
      </div>
    </section>
  );
}

interface GoalProps {
  readonly id: GoalId;
  readonly state: State;
  readonly facts: NetworkFacts;
}

function Goal({ id, state, facts }: GoalProps) {
  const { name, about } = GOAL_TEXTS[id];
  const { goal, shown, runs } = state;
  const run = runs[id];
  const frame = frameOf(run);
  const running = run.status === "running";
  const act = (): void => {
    setGoal(id);
    if (running) stop(id);
    else void runGoal(id);
  };
  return (
    <article class={`goal ${goal === id ? "chosen" : ""}`} aria-label={name}>
      <Picture pixels={frame?.pixels ?? shown?.pixels} dims={facts.dims} label={`the image under the goal ${name}`} />
      <div class="goal-text">
        <h3>{name}</h3>
        <p>{about}</p>
        {frame && <Path frame={frame} facts={facts} />}
        <Verdict id={id} state={state} facts={facts} />
        <div class="goal-buttons">
          <button type="button" class={goal === id ? "primary small" : "plain"} onClick={act}>
            {running ? "Stop" : run.status === "idle" ? "Attack" : "Again"}
          </button>
          {frame && goal !== id && (
            <button type="button" class="plain" onClick={() => setGoal(id)}>
              Show it above
            </button>
          )}
        </div>
      </div>
    </article>
  );
}

/** The way through the network as a row of dots. */
function Path({ frame, facts }: { readonly frame: Frame; readonly facts: NetworkFacts }) {
  const { stop: at, share, label, full } = frame.reading;
  return (
    <p class="way">
      <span class="dots" aria-hidden="true">
        {facts.exits.map((exit, k) => (
          <i key={exit.name} class={k < at ? "passed" : k === at ? "stop" : "unused"} />
        ))}
      </span>
      <b>{facts.classes[label]}</b> for {percent(share)}
      {label !== full && <>, full network: {facts.classes[full]}</>}
    </p>
  );
}

function Verdict({ id, state, facts }: GoalProps) {
  const { status, end, error, frames } = state.runs[id];
  if (status === "failed")
    return (
      <p class="verdict bad" role="alert">
        {error}
      </p>
    );
  if (status === "running") return <p class="verdict">step {frames.length - 1}…</p>;
  if (status === "stopped") return <p class="verdict">stopped after {frames.length - 1} steps</p>;
  if (!end) return null;
  if (!end.eligible) return <p class="verdict">The clean image does this already, so there is nothing to attack.</p>;
  const { success, rounded } = end.frame;
  if (!success) return <p class="verdict">Not reached within this radius. Try a larger one, or another image.</p>;
  return (
    <p class={`verdict ${rounded ? "good" : ""}`}>
      {won(id, end.frame, facts)} {rounded ? "It survives 8-bit rounding." : "But 8-bit rounding undoes it."}
    </p>
  );
}

/** What was reached, in words. */
export function won(id: GoalId, { reading }: Frame, { classes, exits }: NetworkFacts): string {
  if (id === "slow" && exits.length > 1) return "Reached: it thought the whole way.";
  if (id === "early")
    return `Reached: exit ${reading.stop + 1} says ${classes[reading.label]}, the full network ${classes[reading.full]}.`;
  return `Reached: it answers ${classes[reading.label]}.`;
}
