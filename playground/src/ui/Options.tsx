/** @file How the attack searches: method, norm, radius, steps, seed. */
import type { MethodEntry } from "dynn/web";
import { setSettings } from "../page/actions.js";
import { effortOf, methodOf, NORM_TEXTS, RADII } from "../page/goals.js";
import type { State } from "../page/state.js";

const GROUPS: Readonly<Record<string, string>> = {
  gradient: "sees gradients",
  scores: "sees scores",
  label: "sees labels only",
  cost: "sees the cost only",
};

export function Options({ state }: { readonly state: State }) {
  const { settings, catalogue } = state;
  const method = methodOf(catalogue, settings.method);
  const effort = effortOf(method);
  const closest = method?.budget === "closest";
  return (
    <details class="card options">
      <summary>
        <h2>How the attack works</h2>
        <span>{summaryOf(state)}</span>
      </summary>
      <div class="fields">
        <label class="field wide">
          <span>Method</span>
          <select value={settings.method} onChange={(event) => setSettings({ method: event.currentTarget.value })}>
            {Object.entries(GROUPS).map(([access, text]) => (
              <optgroup key={access} label={text}>
                {methodsOf(catalogue?.methods, access).map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
          <small>
            {method?.about} ({method?.source})
          </small>
        </label>
        <label class="field">
          <span>Norm</span>
          <select value={settings.norm} onChange={(event) => setSettings({ norm: event.currentTarget.value })}>
            {method?.norms.map((norm) => (
              <option key={norm} value={norm}>
                {NORM_TEXTS[norm] ?? norm}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Radius</span>
          <input
            type="text"
            list="radii"
            disabled={closest}
            value={closest ? "none: it searches for the closest image" : settings.radius}
            onChange={(event) => setSettings({ radius: event.currentTarget.value.trim() })}
          />
          <datalist id="radii">
            {(RADII[settings.norm] ?? []).map((radius) => (
              <option key={radius} value={radius} />
            ))}
          </datalist>
        </label>
        {effort && (
          <label class="field">
            <span>{effort.name === "steps" ? "Steps" : "Queries"}</span>
            <input
              type="number"
              min={1}
              max={100000}
              value={settings.steps ?? effort.usual}
              onChange={(event) =>
                setSettings({ steps: Math.max(1, Math.round(Number(event.currentTarget.value) || 1)) })
              }
            />
          </label>
        )}
        <label class="field">
          <span>Seed</span>
          <input
            type="number"
            min={0}
            max={999999999}
            value={settings.seed}
            onChange={(event) => setSettings({ seed: Math.max(0, Math.round(Number(event.currentTarget.value) || 0)) })}
          />
        </label>
      </div>
    </details>
  );
}

/** Methods for one image. A perturbation for many images needs many. */
const methodsOf = (methods: readonly MethodEntry[] | undefined, access: string): readonly MethodEntry[] =>
  (methods ?? []).filter((method) => method.access === access && method.scope === "sample" && method.goals === null);

function summaryOf({ settings, catalogue }: State): string {
  const method = methodOf(catalogue, settings.method);
  const effort = effortOf(method);
  const radius = method?.budget === "closest" ? "closest image" : `radius ${settings.radius}`;
  return [settings.method, settings.norm, radius, effort && `${settings.steps ?? effort.usual} ${effort.name}`]
    .filter(Boolean)
    .join(" · ");
}
