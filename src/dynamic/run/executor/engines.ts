/** @file The two engines that run a dynamic model and skip work, and the choice between them.
 *  Measurements: docs/decisions/0011. */
import type { Graph } from "../../../graph/graph.js";
import type { Backend } from "../../../runtime/backend.js";
import type { Policy } from "../../../schema/policy.js";
import type { DynamicModel } from "../../model/model.js";
import { withBits } from "../../route/route.js";
import { conditionalModel } from "../conditional/index.js";
import { liveExits } from "../live-exits.js";
import { skipping } from "../skipping/index.js";
import { splitStages } from "../stages.js";
import { ConditionalQueue } from "./conditional.js";
import type { SampleQueue, StageAnswer, StageRun } from "./sample-queue.js";
import { type CompiledStage, StagedQueue } from "./staged.js";

/** Compiled sessions that all streams share. */
export interface Engine {
  /** A queue for one stream. */
  readonly openQueue: () => SampleQueue;
  readonly release: () => Promise<void>;
}

export interface EngineOptions {
  readonly backend: Backend;
  readonly batch: number;
  readonly onRun?: ((run: StageRun) => void) | undefined;
}

type MakeEngine = (model: DynamicModel, policy: Policy, options: EngineOptions) => Promise<Engine>;

export const ENGINES = { staged, conditional } as const satisfies Record<string, MakeEngine>;
export type EngineName = keyof typeof ENGINES;

/** Largest number of exits in one graph. The sub-graphs are nested, and runtimes limit the
 * depth. */
const MOST_NESTED = 12;

/** A single session is faster. It needs a batch of any size, a backend that runs `If`, and a policy
 * under which the exit that stops also answers. */
export function bestEngine(model: DynamicModel, policy: Policy, backend: Backend): EngineName {
  const exits = liveExits(model, policy).exits.length;
  if (model.oneByOne !== undefined) return "staged";
  const fits = policy.fallback === "final" && exits > 1 && exits <= MOST_NESTED;
  return backend.routes && fits ? "conditional" : "staged";
}

async function staged(model: DynamicModel, policy: Policy, { backend, batch, onRun }: EngineOptions): Promise<Engine> {
  const live = liveExits(model, policy);
  const behind = model.gates.map(({ exit }) => exit);
  const original = (answer: StageAnswer) => withBits(live.original(answer), answer.gates ?? [], behind);
  const stages: CompiledStage[] = [];
  const single = batch === 1 || model.oneByOne !== undefined;
  const skips = (graph: Graph): Graph => (backend.routes ? skipping(graph, model.gates, { single }) : graph);
  const release = async (): Promise<void> => {
    await Promise.all(stages.map(({ session }) => session.release()));
  };
  try {
    for (const stage of splitStages({ ...model, exits: live.exits }))
      stages.push({ ...stage, session: await backend.compile(skips(stage.graph)) });
  } catch (error) {
    await release();
    throw error;
  }
  return { openQueue: () => renumbered(new StagedQueue(stages, live.policy, batch, onRun), original), release };
}

/** A queue whose answers use the model's numbers of exits instead of the numbers among the exits
 * that run. */
const renumbered = (queue: SampleQueue, original: (answer: StageAnswer) => StageAnswer): SampleQueue => ({
  enter: (rows) => queue.enter(rows),
  get waiting() {
    return queue.waiting;
  },
  get empty() {
    return queue.empty;
  },
  run: async () => (await queue.run()).map(({ index, answer }) => ({ index, answer: original(answer) })),
});

async function conditional(model: DynamicModel, policy: Policy, options: EngineOptions): Promise<Engine> {
  const single = options.batch === 1;
  const session = await options.backend.compile(conditionalModel(model, policy, { single }).graph);
  const queue = () =>
    new ConditionalQueue(session, {
      ...options,
      input: model.input.name,
      stages: model.exits.length,
      gates: model.gates.map(({ exit }) => exit),
    });
  return { openQueue: queue, release: () => session.release() };
}
