/** @file Keeps attacks, so that an interrupted audit can resume, also within an attack. A stored
 *  attack is found only under the same fingerprint. The fingerprint covers version, model, policy,
 *  images, labels, attack and seed. */

import type { Attack, AttackOptions, SampleOutcome } from "../../attacks/attack.js";
import type { Victim } from "../../attacks/goals/victim.js";
import type { Evaluator } from "../../attacks/oracle/evaluator.js";
import { runAttack } from "../../attacks/runner.js";
import type { Sample } from "../../attacks/sample.js";
import { bytesOf } from "../../core/bytes.js";
import { imageDims } from "../../core/images.js";
import { writeModel } from "../../onnx/write.js";
import type { RunPart, RunStore, StoredRun } from "./run-store.js";

/** An attack whose outcomes are kept under its name. */
type NamedAttack = Attack & { readonly name: string; readonly parameters: object };

/** How an attack runs, and where it is kept. */
export interface StoredOptions extends Pick<AttackOptions, "seed" | "batch" | "signal" | "onProgress"> {
  readonly store: RunStore | undefined;
  readonly version: string;
  /** Clock in milliseconds. */
  readonly now: () => number;
}

/** Attacks the samples, or takes the outcomes from the store. */
export async function runStored(
  attack: NamedAttack,
  samples: readonly Sample[],
  evaluator: Evaluator,
  victim: Victim,
  options: StoredOptions,
): Promise<StoredRun> {
  const fingerprint = options.store ? await fingerprintOf(attack, samples, victim, options) : "";
  const finished = await options.store?.load(attack.name, fingerprint);
  if (finished?.outcomes.length === samples.length) return finished;
  const { seed, batch, signal, now, store, onProgress } = options;
  const journal = new Journal(attack.name, fingerprint, store, now);
  const known = await store?.loadParts(attack.name, fingerprint);
  const outcomes = await runAttack(attack, samples, {
    evaluator,
    ...{ seed, batch, signal, onProgress, known: known?.outcomes },
    onOutcome: (place, outcome) => journal.add(place, outcome),
    between: () => journal.saveWhenDue(),
  });
  const seconds = (known?.seconds ?? 0) + journal.seconds;
  const run = { outcomes, seconds, manifest: manifestOf(attack, samples, victim, seed) };
  await store?.save(attack.name, fingerprint, run);
  return run;
}

/** What the images are, for those who load them elsewhere. */
function manifestOf(
  { name, goal, method, budget, parameters }: NamedAttack,
  samples: readonly Sample[],
  { model }: Victim,
  seed: number,
): NonNullable<StoredRun["manifest"]> {
  return {
    ...{ attack: name, goal: goal.name, method: method.name, norm: budget.norm, radius: budget.radius ?? null },
    parameters: { ...parameters },
    seed,
    ...{ network: model.name, image: imageDims(model) },
    records: samples.map(({ id }) => id),
    labels: samples.map(({ label }) => label),
  };
}

/** Seconds between two parts of an unfinished run. */
const PART_SECONDS = 2;

/** Saves the outcomes of a run in parts, so that a killed run loses little. */
class Journal {
  readonly #save: (part: RunPart) => Promise<void> | undefined;
  readonly #now: () => number;
  readonly #started: number;
  #partStarted: number;
  #fresh = new Map<number, SampleOutcome>();

  constructor(name: string, fingerprint: string, store: RunStore | undefined, now: () => number) {
    this.#save = (part) => store?.savePart(name, fingerprint, part);
    this.#now = now;
    this.#started = now();
    this.#partStarted = this.#started;
  }

  get seconds(): number {
    return (this.#now() - this.#started) / 1000;
  }

  add(place: number, outcome: SampleOutcome): void {
    this.#fresh.set(place, outcome);
  }

  saveWhenDue(): Promise<void> | undefined {
    const seconds = (this.#now() - this.#partStarted) / 1000;
    if (seconds < PART_SECONDS || this.#fresh.size === 0) return undefined;
    const part = { outcomes: this.#fresh, seconds };
    this.#partStarted = this.#now();
    this.#fresh = new Map();
    return this.#save(part);
  }
}

async function fingerprintOf(
  attack: NamedAttack,
  samples: readonly Sample[],
  victim: Victim,
  { seed, version }: StoredOptions,
): Promise<string> {
  const { name, goal, method, budget, parameters } = attack;
  const how = {
    version,
    name,
    goal: goal.name,
    method: method.name,
    budget,
    parameters,
    policy: victim.policy,
    seed,
  };
  const { graph } = victim.model;
  const model = await digestOnce(graph, () => writeModel({ graph }));
  const which = await Promise.all(
    samples.map(async ({ id, label, pixels }) => [id, label, await digestOnce(pixels, () => bytesOf(pixels))]),
  );
  return sha256(new TextEncoder().encode(JSON.stringify([how, model, which])));
}

/** Digests of graphs and of images. They are cached, because every attack needs them and they do
 * not change during an audit. */
const digests = new WeakMap<object, Promise<string>>();

function digestOnce(of: object, bytes: () => Uint8Array): Promise<string> {
  const digest = digests.get(of) ?? sha256(bytes());
  digests.set(of, digest);
  return digest;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  // The copy is needed, because a view can be in a shared buffer, which digest refuses.
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
