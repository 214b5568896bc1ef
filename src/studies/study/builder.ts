/** @file Makes the tasks of a plan. A question asks for results by network and attack. The same
 *  question gives the same task, so that work is done once. */

import { has, type Need } from "../../attacks/goals/goal.js";
import { goalNamed } from "../../attacks/goals/table.js";
import type { AttackConfig } from "../../attacks/spec.js";
import { attackConfigSchema } from "../../attacks/spec.js";
import { present } from "../../core/present.js";
import type { Units } from "../../dynamic/model/units.js";
import type { Use } from "../../schema/study/file.js";
import type { PlannedAttack, PlannedNetwork, PlannedTraining, StudyPlan } from "../../schema/study/plan.js";
import type { DataRef, NetworkRef } from "../../schema/study/references.js";
import { isRoutable } from "../../schema/units.js";
import { TaskGraph } from "../tasks/graph.js";
import { makeTask } from "../tasks/kind.js";
import { answersKind } from "../tasks/kinds/answers.js";
import { craftKind } from "../tasks/kinds/craft.js";
import { finiteDifferencesKind } from "../tasks/kinds/finite-differences.js";
import { latencyKind } from "../tasks/kinds/latency.js";
import { paceKind } from "../tasks/kinds/pace.js";
import { thresholdsKind } from "../tasks/kinds/thresholds.js";
import { trainKind } from "../tasks/kinds/train.js";
import type { ChosenOn } from "../tasks/kinds/units.js";
import type { Task, TaskKey } from "../tasks/task.js";
import type { StudyBlock } from "./kinship.js";

/** Some exits of a network, as a network of its own. */
export interface KeptExits {
  /** Name of the network in the plan. */
  readonly network: string;
  /** Places of the exits that are kept, the last one as the final exit. Undefined: all. */
  readonly exits?: readonly number[] | undefined;
}

/** Which records of a data set. */
export type Records = "reported" | "validation" | "checks";

/** An attack on a network, whose images others are judged on. */
export interface Crafted {
  readonly part: KeptExits;
  readonly attack: PlannedAttack;
  readonly records: Records;
}

/** A plan as questions read it. */
interface ReadPlan extends StudyPlan {
  readonly blocks: StudyBlock[];
}

/** The tasks of a plan, made as questions ask for them. */
export class StudyTasks {
  readonly graph: TaskGraph;
  readonly plan: ReadPlan;
  readonly #trained: Map<string, TaskKey>;
  /** Keys by what was asked for. To check and hash a task takes longer than to look it up. */
  readonly #known: Map<string, TaskKey>;

  /** @param beside shares its tasks */
  constructor(plan: ReadPlan, beside?: StudyTasks) {
    this.plan = plan;
    this.graph = beside ? beside.graph : new TaskGraph();
    this.#trained = beside ? beside.#trained : new Map<string, TaskKey>();
    this.#known = beside ? beside.#known : new Map<string, TaskKey>();
  }

  /** The same tasks, for questions about other blocks of the same networks. */
  withBlocks(blocks: StudyBlock[]): StudyTasks {
    return new StudyTasks({ ...this.plan, blocks }, this);
  }

  network(name: string): PlannedNetwork {
    return present(this.plan.networks[name], `network ${name}`);
  }

  /** The exits of a part, with costs as shares of its own final exit. */
  exits({ network, exits }: KeptExits): PlannedNetwork["exits"] {
    const all = this.network(network).exits;
    const kept = exits?.map((k) => present(all[k], `exit ${k}`)) ?? all;
    const full = present(kept.at(-1), "the final exit").macs;
    return kept.map((exit) => ({ ...exit, costFraction: full > 0 ? exit.macs / full : 1 }));
  }

  /** The exits and gates that the cost of a path in a network depends on. */
  units(network: string): Units {
    const { exits, gates = [] } = this.network(network);
    return { exits, gates };
  }

  /** The attacks for a use that fit a network: dynamic ones need an early exit or a gate, and some
   * goals need one of both. */
  attacksFor(use: Use, network: string): PlannedAttack[] {
    const { exits, gates = [] } = this.network(network);
    const kind = isRoutable({ exits, gates }) ? "dynamic" : "static";
    return this.plan.attacks.filter(
      ({ uses, on, goal }) =>
        uses.includes(use) && (on === "any" || on === kind) && has(needOf(goal), exits.length - 1, gates.length),
    );
  }

  /** The task that trains a network. Undefined for a network that exists. */
  trained(name: string): TaskKey | undefined {
    const { training } = this.network(name);
    if (training === undefined) return undefined;
    const key = this.#trained.get(name) ?? this.graph.add(this.#training(name, training));
    this.#trained.set(name, key);
    return key;
  }

  #training(name: string, training: PlannedTraining): Task {
    const { data: set, init, ...recipe } = training;
    const { name: of, sha256, images } = present(this.plan.data[set]?.training, `records to train ${name} on`);
    const parameters = {
      ...{ ...recipe, network: { name }, data: { name: of, sha256 }, images },
      init: init === null ? null : this.#reference({ network: init }),
      macs: this.#macs({ network: name }),
    };
    return makeTask(trainKind, parameters, this.#inputs(init === null ? [] : [init]));
  }

  #once(asked: readonly (string | number | undefined)[], make: () => Task): TaskKey {
    const name = JSON.stringify(asked);
    const key = this.#known.get(name) ?? this.graph.add(make());
    this.#known.set(name, key);
    return key;
  }

  /** What every exit answers for clean records. */
  clean(network: string, records: Records): TaskKey {
    return this.#once(["clean", network, records], () => this.#answers(network, records, true, undefined));
  }

  /** The policy of a part, for a target of the plan. Undefined for a static network.
   * @param target place of the target in the plan */
  policy(part: KeptExits, target = 0): TaskKey | undefined {
    const { exits, gates } = this.network(part.network);
    if (!isRoutable({ exits: this.exits(part), gates })) return undefined;
    const { rule, fallback, targets } = this.plan.policy;
    return this.#once(["policy", part.network, part.exits?.join(), target], () => {
      const { gated, inputs } = this.#chosenOn(part.network);
      const parameters = {
        ...{ rule, fallback, target: targets[target].target, costs: exits.map((e) => e.costFraction) },
        ...(part.exits && { exits: [...part.exits] }),
        ...(gated && { gated }),
      };
      return makeTask(thresholdsKind, parameters, inputs);
    });
  }

  /** What thresholds are chosen on: answers, or for gates the network itself. */
  #chosenOn(network: string): ChosenOn & Pick<Task, "inputs"> {
    const { gates = [] } = this.network(network);
    if (gates.length === 0) return { gated: undefined, inputs: { answers: [this.clean(network, "validation")] } };
    const macs = this.#macs({ network });
    const on = { network: this.#reference({ network }), data: this.#data(network, "validation"), macs };
    return { gated: { ...on, costs: gates.map((gate) => gate.costFraction) }, inputs: this.#inputs([network]) };
  }

  /** The images of an attack. */
  craft({ part, attack, records }: Crafted): TaskKey {
    const policy = this.policy(part);
    return this.#once(["craft", part.network, part.exits?.join(), attack.name, records], () =>
      makeTask(
        craftKind,
        {
          ...{ network: this.#reference(part), data: this.#data(part.network, records), seed: this.plan.seed },
          ...{ attack: configOf(attack), macs: this.#macs(part), gradients: workOf(attack) },
        },
        { ...this.#inputs([part.network]), ...(policy ? { policy: [policy] } : {}) },
      ),
    );
  }

  /** What every exit of a network answers for attacked images. */
  judge(target: string, crafted: Crafted): TaskKey {
    const images = this.craft(crafted);
    return this.#once(["judge", target, images], () => this.#answers(target, crafted.records, false, images));
  }

  /** The times of a network on clean and on attacked images. */
  latency(target: string, sets: readonly Crafted[], { samples, rounds }: { samples: number; rounds: number }): TaskKey {
    const policy = this.policy({ network: target });
    return this.graph.add(
      makeTask(
        latencyKind,
        {
          ...{
            network: this.#reference({ network: target }),
            data: this.#data(target, sets[0]?.records ?? "reported"),
          },
          ...{ samples, rounds, macs: this.#macs({ network: target }), sets: sets.map(({ attack }) => attack.name) },
        },
        {
          ...{ ...this.#inputs([target]), images: sets.map((set) => this.craft(set)) },
          ...(policy ? { policy: [policy] } : {}),
        },
      ),
    );
  }

  /** The gradient of an attack's goal beside finite differences. */
  slopes(part: KeptExits, attack: PlannedAttack, samples: number): TaskKey {
    const policy = this.policy(part);
    const parameters = { network: this.#reference(part), data: this.#data(part.network, "checks"), samples };
    return this.graph.add(
      makeTask(
        finiteDifferencesKind,
        { ...parameters, attack: configOf(attack), macs: this.#macs(part) },
        { ...this.#inputs([part.network]), ...(policy ? { policy: [policy] } : {}) },
      ),
    );
  }

  /** The times of attacks on several networks. */
  pace(contestants: readonly Omit<Crafted, "records">[], rounds: number): TaskKey {
    const policies = contestants.map(({ part }) => this.policy(part));
    const given = policies.filter((key) => key !== undefined);
    const [first] = contestants;
    const data = this.#data(first.part.network, "checks");
    const work = contestants.reduce((sum, { part, attack }) => sum + 3 * workOf(attack) * this.#macs(part), 0);
    return this.graph.add(
      makeTask(
        paceKind,
        {
          ...{ data, rounds, seed: this.plan.seed, macs: Math.round(work * rounds * countOf(data)) },
          contestants: contestants.map(({ part, attack }, i) => ({
            ...{ network: this.#reference(part), attack: configOf(attack) },
            policy: policies[i] === undefined ? null : given.indexOf(policies[i]),
          })),
        },
        { ...this.#inputs(contestants.map(({ part }) => part.network)), policies: given },
      ),
    );
  }

  #answers(network: string, records: Records, logits: boolean, images: TaskKey | undefined) {
    const { rule } = this.plan.policy;
    const reference = this.#reference({ network });
    const parameters = {
      network: reference,
      data: this.#data(network, records),
      rule,
      logits,
      macs: this.#macs({ network }),
    };
    const inputs = { ...this.#inputs([network]), ...(images ? { images: [images] } : {}) };
    // No policy changes the answers of a network without gates, so its task names none.
    const policy = this.network(network).gates ? this.policy({ network }) : undefined;
    if (policy === undefined) return makeTask(answersKind, parameters, inputs);
    return makeTask(answersKind, { ...parameters, bits: true }, { ...inputs, policy: [policy] });
  }

  /** The tasks that train these networks, as inputs. None for networks that exist, so that the
   * names of their tasks do not change. */
  #inputs(networks: readonly string[]): Task["inputs"] {
    const trained = networks.map((name) => this.trained(name)).filter((key) => key !== undefined);
    return trained.length === 0 ? {} : { networks: [...new Set(trained)] };
  }

  #reference({ network, exits }: KeptExits): NetworkRef {
    const { sha256, exits: all } = this.network(network);
    const kept = exits && exits.length < all.length ? { exits: exits.map((k) => all[k].output) } : {};
    return sha256 === null
      ? { name: network, task: this.trained(network), ...kept }
      : { name: network, sha256, ...kept };
  }

  #data(network: string, records: Records): DataRef {
    const block = present(
      this.plan.blocks.find(({ networks }) => Object.values(networks).includes(network)),
      `the block of ${network}`,
    );
    return present(this.plan.data[block.data], `data ${block.data}`)[records];
  }

  #macs(part: KeptExits): number {
    return present(this.exits(part).at(-1), "the final exit").macs;
  }
}

/** What a network must have for a goal. */
const needOf = (goal: unknown): Need | undefined =>
  typeof goal === "string" ? goalNamed(goal, "attack of the study").def.needs : undefined;

const countOf = ({ records }: DataRef): number => (Array.isArray(records) ? records.length : records.count);

/** The entry of an attack file. */
export function configOf({ on: _on, uses: _uses, ...config }: PlannedAttack): AttackConfig {
  return attackConfigSchema.parse(config);
}

/** Gradients that an attack takes for one image at most, for estimates. A query counts a third. */
export function workOf({ method, steps, queries }: PlannedAttack): number {
  if (typeof queries === "number") return queries / 3;
  if (method === "sign-noise") return 1;
  if (method === "vmi") return 60;
  return typeof steps === "number" ? steps : method === "fmn" ? 100 : 20;
}
