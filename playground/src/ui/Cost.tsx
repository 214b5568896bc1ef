/** @file The cost meter: MACs, and measured milliseconds. */
import { frameOf, type State } from "../page/state.js";
import { shownReading } from "./Ladder.js";
import { count, milliseconds, percent } from "./text.js";

export function Cost({ state }: { readonly state: State }) {
  const { facts, clean, times, runs, goal } = state;
  const reading = shownReading(state);
  if (!facts || !reading) return <div class="cost" />;
  const full = facts.exits[facts.exits.length - 1];
  const attacked = frameOf(runs[goal]) !== undefined && clean !== undefined;
  return (
    <div class="cost">
      <div class="meter" aria-hidden="true">
        <div
          class={`meter-fill ${reading.share > 0.95 ? "dear" : ""}`}
          style={{ transform: `scaleX(${reading.share})` }}
        />
        {attacked && <div class="meter-mark" style={{ left: `${100 * clean.share}%` }} title="the clean image" />}
      </div>
      <p>
        <b>{percent(reading.share)}</b> of the cost · {count(reading.macs)} of {count(full.macs)} MACs
        {times && (
          <>
            {" "}
            · {milliseconds(times[reading.stop])} of {milliseconds(times[times.length - 1])} measured here
          </>
        )}
        {attacked && clean.share > 0 && <> · {(reading.share / clean.share).toFixed(1)}× the clean image</>}
      </p>
    </div>
  );
}
