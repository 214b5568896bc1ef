/** @file Keeps finished attacks, so that an interrupted audit can resume. A stored attack is found
 *  only under the same fingerprint. The fingerprint covers version, model, policy, images, labels,
 *  attack and seed. */

import type { Attack, AttackOptions } from "../../attacks/attack.js";
import type { Evaluator } from "../../attacks/oracle/evaluator.js";
import { runAttack } from "../../attacks/runner.js";
import type { Sample } from "../../attacks/sample.js";
import { bytesOf } from "../../core/bytes.js";
import { writeModel } from "../../onnx/write.js";
import type { AuditedModel } from "./audited-model.js";
import type { AuditOptions } from "./options.js";
import type { StoredRun } from "./run-store.js";

/** Attacks the samples, or takes the outcomes from the store. */
export async function runStored(
  attack: Attack & { readonly name: string; readonly parameters: object },
  samples: readonly Sample[],
  evaluator: Evaluator,
  audited: Pick<AuditedModel, "victim">,
  options: AuditOptions,
  onProgress: AttackOptions["onProgress"],
): Promise<StoredRun> {
  const fingerprint = options.store ? await fingerprintOf(attack, samples, audited, options) : "";
  const known = await options.store?.load(attack.name, fingerprint);
  if (known?.outcomes.length === samples.length) return known;
  const started = options.now();
  const { seed, batch, signal } = options;
  const outcomes = await runAttack(attack, samples, evaluator, { seed, batch, signal, onProgress });
  const run = { outcomes, seconds: (options.now() - started) / 1000 };
  await options.store?.save(attack.name, fingerprint, run);
  return run;
}

async function fingerprintOf(
  attack: Parameters<typeof runStored>[0],
  samples: readonly Sample[],
  { victim }: Pick<AuditedModel, "victim">,
  { seed, version }: AuditOptions,
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
