/** @file The open network: reads images with all exits, and says what the deployed network would
 *  do. */
import {
  type Backend,
  checkOutputs,
  costOf,
  costShareOf,
  type DynamicModel,
  dynamicModel,
  FullForward,
  Images,
  imageDims,
  type Logits,
  makePolicy,
  ortWeb,
  type Path,
  type Policy,
  placesOf,
  readModel,
  route,
  routeOne,
  underPolicy,
} from "dynn/web";
import type { ExitReading, NetworkFacts, PagePolicy, Provider, Reading } from "../shared/messages.js";

/** Guesses that the page shows for each exit. */
const GUESSES = 3;
/** The threshold of the page for a network without a policy. */
const FIRST_THRESHOLD = 0.8;

/** Threads of WebAssembly. Only a page with isolation headers may share memory between threads.
 *  One core stays free: without it, frames of the page wait for the attack. */
export const THREADS = crossOriginIsolated ? Math.max(1, Math.min(4, navigator.hardwareConcurrency - 1)) : 1;

export class Network {
  readonly model: DynamicModel;
  readonly backend: Backend;
  readonly #forward: FullForward;
  readonly #provider: Provider;
  readonly #bundled: boolean;

  private constructor(model: DynamicModel, backend: Backend, forward: FullForward, facts: Facts) {
    this.model = model;
    this.backend = backend;
    this.#forward = forward;
    this.#provider = facts.provider;
    this.#bundled = facts.bundled;
  }

  /** Read a file and open a session for it.
   * @throws DynnError as `readModel` and `dynamicModel` */
  static async open(bytes: Uint8Array, facts: Facts): Promise<Network> {
    const source = readModel(bytes, { name: facts.name, owned: true });
    const backend = inTurn(ortWeb({ provider: facts.provider, threads: THREADS }));
    const checked = await checkOutputs(dynamicModel(source, { name: facts.name }), { backend });
    const model = checked.policy ? underPolicy(checked, checked.policy) : checked;
    imageDims(model);
    return new Network(model, backend, await FullForward.compile(model, { backend }), facts);
  }

  get facts(): NetworkFacts {
    const { name, exits, gates, classes, classNames, parameters, policy, changes } = this.model;
    return {
      name,
      exits: exits.map((exit) => ({ name: exit.name, macs: exit.macs, share: exit.costFraction })),
      gates: gates.map((gate) => ({ name: gate.name, macs: gate.macs, share: gate.costFraction, exit: gate.exit })),
      classes: classNames ?? Array.from({ length: classes }, (_, k) => `class ${k}`),
      named: classNames !== undefined,
      dims: imageDims(this.model),
      parameters,
      policy: policy ?? {
        rule: "max-softmax",
        thresholds: exits.slice(1).map(() => FIRST_THRESHOLD),
        fallback: "final",
      },
      ownPolicy: policy !== undefined,
      bundled: this.#bundled,
      changes,
      places: exits.length > 1 ? [] : this.#places(),
      provider: this.#provider,
      threads: THREADS,
    };
  }

  /** The policy of the page, checked, with the file's own temperatures and gates.
   * @throws DynnError 'policy/value' */
  policy({ rule, thresholds, fallback }: PagePolicy): Policy {
    const { exits, classes, policy } = this.model;
    const shape = { exits: exits.length, classes };
    return {
      ...(exits.length > 1
        ? makePolicy(shape, { rule, thresholds, fallback, temperatures: policy?.temperatures })
        : { rule, fallback, thresholds: [] }),
      ...(policy?.gates ? { gates: policy.gates } : {}),
    };
  }

  /** All exits and gates on images.
   * @throws DynnError 'data/shape', 'runtime/run' */
  logits(pixels: Float32Array, batch = 1, onProgress?: (done: number, total: number) => void): Promise<Logits> {
    return this.#forward.logits(Images.for(this.model, pixels), { batch, onProgress });
  }

  /** What the deployed network does with one image. */
  async read(pixels: Float32Array, policy: Policy): Promise<Reading> {
    return this.readings(await this.logits(pixels), policy)[0];
  }

  /** One reading per image. */
  readings(logits: Logits, policy: Policy): Reading[] {
    return route(logits, policy).map((routed, i) => ({
      ...pathOf(routed),
      ...this.#costs(routed),
      label: routed.label,
      answer: routed.answer,
      full: largest(logits.row(this.model.exits.length - 1, i)),
      exits: logits.rows(i).map((row, exit) => readingOf(row, policy, exit)),
    }));
  }

  /** Share of the full cost of each path. */
  shareOf(path: Path): number {
    return costShareOf(this.model, path);
  }

  release(): Promise<void> {
    return this.#forward.release();
  }

  #costs(path: Path): Pick<Reading, "macs" | "share"> {
    return { macs: costOf(this.model, path), share: this.shareOf(path) };
  }

  /** Places for exits, where the network has one that separates. */
  #places(): NetworkFacts["places"] {
    try {
      return placesOf(this.model.graph).map(({ cut, fraction }) => ({ cut, share: fraction }));
    } catch {
      return [];
    }
  }
}

/** Runs of all sessions one after the other. Attacks run side by side, and ONNX Runtime for the web
 * has one stack. */
function inTurn(backend: Backend): Backend {
  let last: Promise<unknown> = Promise.resolve();
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
  const compile: Backend["compile"] = async (graph) => {
    const session = await queued(() => backend.compile(graph));
    return {
      ...session,
      run: (feeds) => queued(() => session.run(feeds)),
      release: () => queued(() => session.release()),
    };
  };
  return { ...backend, compile };
}

interface Facts {
  readonly name: string;
  readonly provider: Provider;
  readonly bundled: boolean;
}

const pathOf = ({ stop, gates = [] }: Path): Pick<Reading, "stop" | "gates"> => ({
  stop,
  gates: gates.map((bit) => bit ?? null),
});

const largest = (row: Float32Array): number => row.indexOf(Math.max(...row));

/** The guesses of one exit, and its confidence under the rule: that of a network with this exit
 * alone. */
function readingOf(row: Float32Array, { rule, temperatures }: Policy, exit: number): ExitReading {
  const temperature = temperatures?.[exit];
  const alone = {
    rule,
    thresholds: [],
    fallback: "final",
    ...(temperature ? { temperatures: [temperature] } : {}),
  } as const;
  return { top: guesses(row, temperature), confidence: routeOne([row], alone, 1)?.confidence ?? 0 };
}

function guesses(row: Float32Array, temperature = 1): ExitReading["top"] {
  const most = Math.max(...row);
  const powers = Array.from(row, (logit) => Math.exp((logit - most) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers
    .map((power, label) => ({ label, p: power / total }))
    .sort((a, b) => b.p - a.p)
    .slice(0, GUESSES);
}
