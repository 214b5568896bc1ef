/** @file The thresholds and what they cost: accuracy and mean cost of all images of the set, from
 *  stored logits. */
import type { Rule } from "dynn/web";
import { useEffect, useRef, useState } from "preact/hooks";
import { setPolicy, usualPolicy } from "../page/actions.js";
import type { State } from "../page/state.js";
import type { NetworkFacts, PagePolicy, Survey } from "../shared/messages.js";
import { mostOf } from "./Ladder.js";
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
        <Curve state={state} />
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

/** Accuracy over cost. The plot's library is loaded when the plot comes into sight. */
function Curve({ state }: { readonly state: State }) {
  const place = useRef<HTMLDivElement>(null);
  const seen = useSeen(place);
  const { curve, survey } = state;
  useEffect(() => {
    if (!seen || !curve || !place.current) return;
    let gone = false;
    const to = place.current;
    void import("./plot.js").then(({ plotCurve }) => {
      if (!gone) to.replaceChildren(plotCurve(curve, survey));
    });
    return () => {
      gone = true;
    };
  }, [seen, curve, survey]);
  return <div ref={place} class="curve" />;
}

/** Whether an element has come into sight, or near it. */
function useSeen(place: { readonly current: HTMLElement | null }): boolean {
  const [seen, see] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => see((before) => before || entries.some((e) => e.isIntersecting)),
      {
        rootMargin: "200px",
      },
    );
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);
  return seen;
}
