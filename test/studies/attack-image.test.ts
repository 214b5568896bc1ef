/** @file One image of a network with gates is attacked. The networks of the test judge what came out: as they are, and with every gate open. */
import { expect, it } from "vitest";
import { Images } from "../../src/core/images.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import { route } from "../../src/dynamic/route/route.js";
import { attackImage } from "../../src/studies/attack-image.js";
import { gatedImages, gatedModel } from "../support/gated.js";
import { backend, gatedVictim, runFull } from "../support/gated-attacks.js";

const VICTIM = gatedVictim({ gates: [0.5, 0.5, 0.5, 0.5] });
const IMAGES = 4;
const PIXELS = gatedImages(IMAGES);
const SIZE = PIXELS.length / IMAGES;
const largest = (row: ArrayLike<number>): number => Array.from(row).indexOf(Math.max(...Array.from(row)));

/** The answer of the network, and that of the network with every gate open. */
async function judged(pixels: Float32Array): Promise<{ routed: number; full: number }> {
  const model = underPolicy(gatedModel(), VICTIM.policy);
  const logits = await runFull(model, pixels);
  const [{ label }] = route(logits, VICTIM.policy);
  return { routed: label, full: largest(logits.fullRow(0) ?? []) };
}

it("early: the answer with gates is wrong, and the one with all gates open stays right", async () => {
  let successes = 0;
  for (let i = 0; i < IMAGES; i++) {
    const pixels = PIXELS.slice(i * SIZE, (i + 1) * SIZE);
    const { full: label } = await judged(pixels);
    const { success, eligible, image } = await attackImage(gatedModel(), Images.for(gatedModel(), pixels), {
      ...{ backend, policy: VICTIM.policy, label, goal: "early", radius: 0.5, steps: 30 },
    });
    const found = await judged(image.data);
    expect(success).toBe(found.routed !== label && found.full === label);
    successes += Number(success && eligible);
  }
  expect(successes).toBeGreaterThan(0);
});
