/** @file The ladder of exits: what each exit says, how sure it is, and where the work stops. */
import type { Rule } from "dynn/web";
import { setPolicy } from "../page/actions.js";
import { frameOf, type State } from "../page/state.js";
import type { ExitReading, NetworkFacts, PagePolicy, Reading } from "../shared/messages.js";
import { percent } from "./text.js";

/** The reading that the page is about: that of the shown frame. */
export const shownReading = ({ runs, goal, clean }: State): Reading | undefined =>
  frameOf(runs[goal])?.reading ?? clean;

export function Ladder({ state }: { readonly state: State }) {
  const { facts, policy } = state;
  const reading = shownReading(state);
  if (!facts || !policy) return null;
  return (
    <section class="card ladder" aria-labelledby="ladder-title">
      <h2 id="ladder-title">What the network does</h2>
      <Answer facts={facts} reading={reading} busy={state.runs[state.goal].status === "running"} />
      <ol class="exits">
        {facts.exits.map((exit, k) => (
          <Row key={exit.name} k={k} facts={facts} policy={policy} reading={reading} />
        ))}
      </ol>
      {facts.gates.length > 0 && <Gates facts={facts} reading={reading} />}
    </section>
  );
}

interface AnswerProps {
  readonly facts: NetworkFacts;
  readonly reading: Reading | undefined;
  /** Whether the answer changes with every step. Readers of the screen then say nothing. */
  readonly busy: boolean;
}

/** The answer in one sentence. */
function Answer({ facts, reading, busy }: AnswerProps) {
  if (!reading) return <p class="answer">Thinking…</p>;
  const last = facts.exits.length - 1;
  const early = reading.stop < last;
  return (
    <p class="answer" aria-live={busy ? "off" : "polite"}>
      Answers <strong>{facts.classes[reading.label]}</strong>{" "}
      {last === 0 ? (
        "with its only exit"
      ) : early ? (
        <>
          at exit {reading.stop + 1} of {last + 1}
        </>
      ) : (
        "after the whole way"
      )}
      , for <strong class={early ? "cheap" : "dear"}>{percent(reading.share)}</strong> of the full cost.
    </p>
  );
}

interface RowProps {
  readonly k: number;
  readonly facts: NetworkFacts;
  readonly policy: PagePolicy;
  readonly reading: Reading | undefined;
}

type Part = "passed" | "stop" | "unused";

function Row({ k, facts, policy, reading }: RowProps) {
  const exit = facts.exits[k];
  const last = k === facts.exits.length - 1;
  const part: Part = !reading || k < reading.stop ? "passed" : k === reading.stop ? "stop" : "unused";
  const own = reading?.exits[k];
  return (
    <li class={`exit ${part}`}>
      <div class="exit-name">
        <b>{last ? "Final" : `Exit ${k + 1}`}</b>
        <span>{percent(exit.share)}</span>
      </div>
      <div class="exit-sure">
        <Bar own={own} policy={policy} classes={facts.classes.length} />
        {!last && policy.rule !== "patience" && <Threshold k={k} facts={facts} policy={policy} />}
      </div>
      <div class="exit-guess">
        {own && <Guesses own={own} classes={facts.classes} />}
        <span class="exit-state">{stateOf(part, last)}</span>
      </div>
    </li>
  );
}

const stateOf = (part: Part, last: boolean): string =>
  part === "stop"
    ? last
      ? "end of the way"
      : "sure: stops here"
    : part === "passed"
      ? "not sure: goes on"
      : "does not run";

function Guesses({ own, classes }: { readonly own: ExitReading; readonly classes: readonly string[] }) {
  return (
    <span class="guesses">
      {own.top.map(({ label, p }, i) => (
        <span key={label} class={i === 0 ? "guess first" : "guess"}>
          {classes[label]} <small>{percent(p)}</small>
        </span>
      ))}
    </span>
  );
}

/** The largest number that a confidence or a threshold can be. */
export const mostOf = (rule: Rule, classes: number): number => (rule === "entropy" ? Math.log(classes) : 1);

function Bar({
  own,
  policy,
  classes,
}: {
  readonly own: ExitReading | undefined;
  readonly policy: PagePolicy;
  readonly classes: number;
}) {
  const share = own ? Math.min(1, own.confidence / mostOf(policy.rule, classes)) : 0;
  return (
    <div class="bar" aria-hidden="true">
      <div class="bar-fill" style={{ transform: `scaleX(${share})` }} />
      <span class="bar-text">{own ? sureText(own.confidence, policy.rule) : ""}</span>
    </div>
  );
}

const sureText = (confidence: number, rule: Rule): string =>
  rule === "entropy"
    ? `entropy ${confidence.toFixed(2)}`
    : rule === "margin"
      ? `margin ${confidence.toFixed(2)}`
      : `${percent(confidence)} sure`;

/** The threshold of one exit, on its bar. */
function Threshold({ k, facts, policy }: Omit<RowProps, "reading">) {
  const most = mostOf(policy.rule, facts.classes.length);
  const move = (value: number): void =>
    setPolicy({ ...policy, thresholds: policy.thresholds.map((t, i) => (i === k ? value : t)) });
  const value = policy.thresholds[k];
  return (
    <input
      type="range"
      class="threshold"
      aria-label={`Threshold of exit ${k + 1}`}
      title={`Threshold of exit ${k + 1}: ${value.toFixed(2)}`}
      min={0}
      max={most}
      step={0.005}
      value={Math.min(value, most)}
      onInput={(event) => move(Number(event.currentTarget.value))}
    />
  );
}

function Gates({ facts, reading }: { readonly facts: NetworkFacts; readonly reading: Reading | undefined }) {
  const bits = reading?.gates ?? [];
  const ran = bits.filter((bit) => bit === 1).length;
  return (
    <div class="gates">
      <h3>
        Blocks that ran: {ran} of {facts.gates.length}
      </h3>
      <ul>
        {facts.gates.map((gate, k) => (
          <li key={gate.name} class={bits[k] === 1 ? "open" : "closed"}>
            <b>{gate.name}</b> {bits[k] === 1 ? "ran" : bits[k] === 0 ? "skipped" : "not reached"}{" "}
            <small>{percent(gate.share)}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
