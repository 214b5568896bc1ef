/** @file The thresholds and what they cost: accuracy and mean cost of all images of the set, from
 *  stored logits. */
import type { Rule } from "dynn/web";
import { setPolicy, usualPolicy } from "../page/actions.js";
import type { State } from "../page/state.js";
import type { NetworkFacts, PagePolicy, Survey } from "../shared/messages.js";
import { mostOf } from "./Ladder.js";
import { Plot } from "./Plot.js";
import { rate } from "./text.js";

const RULE_TEXTS: Readonly<Record<Rule, string>> = {
  "max-softmax": "the largest probability",
  margin: "the gap of the two largest probabilities",
  entropy: "the entropy is small",
  patience: "exits in a row agree",
};

export function Thresholds({ state }: { readonly state: State }) {
  const { facts, policy, survey } = state;
  if (!facts || !policy || facts.exits.length === 1) return null;
  return (
    <section class="card thresholds" id="thresholds" aria-labelledby="thresholds-title">
      <h2 id="thresholds-title">Cheaper or better? Move the thresholds</h2>
      <div class="two">
        <div>
          <label class="field">
            <span>An exit stops when</span>
            <select
              value={policy.rule}
              onChange={(event) => setPolicy(usualPolicy(event.currentTarget.value as Rule, facts))}
            >
              {Object.entries(RULE_TEXTS).map(([rule, text]) => (
                <option key={rule} value={rule}>
                  {text} ({rule})
                </option>
              ))}
            </select>
          </label>
          <All facts={facts} policy={policy} />
          {survey ? (
            <Numbers survey={survey} facts={facts} name={state.set?.name ?? "the set"} />
          ) : (
            <Waiting state={state} />
          )}
          <button type="button" class="plain" onClick={() => setPolicy(facts.policy)}>
            Thresholds of the file
          </button>
        </div>
        <div class="curve">{state.curve && <Plot points={state.curve} survey={survey} />}</div>
      </div>
    </section>
  );
}

/** One slider for all exits. */
function All({ facts, policy }: { readonly facts: NetworkFacts; readonly policy: PagePolicy }) {
  const patience = policy.rule === "patience";
  const most = patience ? facts.exits.length : mostOf(policy.rule, facts.classes.length);
  const mean = policy.thresholds.reduce((sum, t) => sum + t, 0) / policy.thresholds.length;
  return (
    <label class="field">
      <span>
        {patience ? "Exits that must agree" : "All exits at once"} <output>{patience ? mean : mean.toFixed(2)}</output>
      </span>
      <input
        type="range"
        min={patience ? 1 : 0}
        max={most}
        step={patience ? 1 : 0.005}
        value={Math.min(mean, most)}
        onInput={(event) =>
          setPolicy({ ...policy, thresholds: policy.thresholds.map(() => Number(event.currentTarget.value)) })
        }
      />
    </label>
  );
}

function Waiting({ state }: { readonly state: State }) {
  const { surveyError, surveyed } = state;
  if (surveyError) return <p class="hint">{surveyError}</p>;
  return (
    <p class="hint">{surveyed ? `Reading the images: ${surveyed[0]} of ${surveyed[1]}` : "Reading the images…"}</p>
  );
}

function Numbers({
  survey,
  facts,
  name,
}: {
  readonly survey: Survey;
  readonly facts: NetworkFacts;
  readonly name: string;
}) {
  const { count, right, interval, cost, stops, fullRight } = survey;
  return (
    <>
      <div class="numbers">
        <p>
          <b>{rate(right / count)}</b> right
          <small>
            95 % interval {rate(interval[0])}–{rate(interval[1])}; the full network {rate(fullRight / count)}
          </small>
        </p>
        <p>
          <b>{rate(cost)}</b> of the cost
          <small>
            mean of {count} images of {name}
          </small>
        </p>
      </div>
      <ul class="stops" aria-label="Images that stop at each exit">
        {stops.map((n, k) => (
          <li key={facts.exits[k].name} title={`${n} images`}>
            <i style={{ transform: `scaleY(${n / Math.max(...stops)})` }} />
            <span>{k === stops.length - 1 ? "Final" : k + 1}</span>
            <small>{n}</small>
          </li>
        ))}
      </ul>
    </>
  );
}
