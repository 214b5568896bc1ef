/** @file Links of the page: what a link says is what it restores, and a damaged link does no harm. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPlace, writePlace } from "../../playground/src/page/address.js";
import { FIRST_SETTINGS, GOAL_IDS } from "../../playground/src/page/goals.js";
import { get, IDLE, NO_RUNS, type Run, type State } from "../../playground/src/page/state.js";
import { STORIES } from "../../playground/src/page/stories.js";
import type { Frame, NetworkFacts } from "../../playground/src/shared/messages.js";

const policy = { rule: "max-softmax", thresholds: [0.7, 0.7], fallback: "final" } as const;
const facts = { name: "net", bundled: true, policy } as unknown as NetworkFacts;
const ran = (frames: number, at: number): Run => ({
  ...IDLE,
  status: "done",
  frames: new Array<Frame>(frames).fill({} as Frame),
  at,
});
const shown = { id: 7, pixels: new Float32Array(12), label: 3, name: "cat" };

const states: fc.Arbitrary<State> = fc
  .record({
    goal: fc.constantFrom(...GOAL_IDS),
    magnify: fc.constantFrom(1, 10, 100),
    id: fc.integer({ min: -1, max: 499 }),
    bytes: fc.uint8Array({ minLength: 12, maxLength: 12 }),
    thresholds: fc.array(
      fc.integer({ min: 0, max: 1000 }).map((t) => t / 1000),
      { minLength: 2, maxLength: 2 },
    ),
    settings: fc.record({
      method: fc.constantFrom("pgd", "apgd-ce", "fmn"),
      norm: fc.constantFrom("linf", "l2"),
      radius: fc.constantFrom("8/255", "0.5", "5%"),
      steps: fc.option(fc.integer({ min: 1, max: 5000 })),
      seed: fc.nat(10 ** 8),
    }),
    frames: fc.integer({ min: 0, max: 9 }),
    at: fc.nat(8),
  })
  .map(({ id, bytes, thresholds, frames, at, ...rest }) => ({
    ...get(),
    ...rest,
    facts,
    policy: { ...policy, thresholds },
    shown: { ...shown, id, pixels: Float32Array.from(bytes, (byte) => byte / 255) },
    runs: { ...NO_RUNS, [rest.goal]: frames > 0 ? ran(frames, Math.min(at, frames - 1)) : IDLE },
  }));

describe("a link", () => {
  test("restores image, goal, settings, thresholds, attack and step", () => {
    fc.assert(
      fc.property(states, (state) => {
        const place = readPlace(writePlace(state));
        const run = state.runs[state.goal];
        expect(place.goal).toBe(state.goal);
        expect(place.settings).toEqual(state.settings);
        expect(place.magnify ?? 10).toBe(state.magnify);
        expect(place.thresholds ?? policy.thresholds).toEqual(state.policy?.thresholds);
        expect(place.runs).toEqual(run.frames.length > 0 ? [state.goal] : []);
        expect(place.frame).toBe(run.at < run.frames.length - 1 ? run.at : undefined);
        if (state.shown && state.shown.id >= 0) expect(place.image).toBe(state.shown.id);
        else expect(place.own).toEqual(Uint8Array.from(state.shown?.pixels ?? [], (v) => Math.round(v * 255)));
      }),
    );
  });

  test("names the file that is open, and does not hold it", () => {
    const link = writePlace({ ...get(), facts: { ...facts, bundled: false, name: "my net.onnx" } });
    expect(readPlace(link).model).toBe("my net.onnx");
  });

  test("with anything in it can be read, and what is wrong keeps its default", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.dictionary(
          fc.constantFrom("image", "goal", "steps", "seed", "pixels", "thresholds", "run", "frame", "rule"),
          fc.string(),
        ),
        (text, fields) => {
          expect(GOAL_IDS).toContain(readPlace(`#${text}`).goal);
          const place = readPlace(`#${new URLSearchParams(fields).toString()}`);
          expect(Number.isInteger(place.settings.seed)).toBe(true);
          expect(place.thresholds?.every(Number.isFinite) ?? true).toBe(true);
        },
      ),
    );
    expect(readPlace("").settings).toEqual(FIRST_SETTINGS);
  });

  test("of every story is read whole", () => {
    for (const { place } of STORIES)
      for (const [name, value] of new URLSearchParams(place)) {
        const written = readPlace(`#${place}`);
        const flat = {
          ...written,
          ...written.settings,
          run: written.runs.length === 3 ? "all" : written.runs.join(),
          steps: written.settings.steps ?? "usual",
        };
        expect(String(flat[name as keyof typeof flat])).toBe(value);
      }
  });
});
