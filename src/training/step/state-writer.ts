/** @file Records the state of a step while its graph is built: the inputs with their first values,
 *  and the outputs. */
import { fromNumbers, type Tensor } from "../../core/tensor.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";

/** Records which output holds the next value of each input. */
export class StateWriter {
  readonly next = new Map<string, ValueName>();
  readonly #b: GraphBuilder;
  /** State that starts at zero or at a copy of an initializer. */
  readonly #slots = new Map<string, { readonly like: ValueName; readonly copy: boolean }>();

  constructor(b: GraphBuilder) {
    this.#b = b;
  }

  /** Adds a state input with the shape of `like`. It starts at zero, or as a copy. */
  slot(name: string, like: ValueName, shape: readonly number[], copy = false): ValueName {
    this.#slots.set(name, { like, copy });
    return this.#b.input(name, "float32", shape);
  }

  set(name: string, value: ValueName): void {
    this.next.set(name, value);
  }

  *initial(graph: Graph): Generator<readonly [string, Tensor]> {
    for (const name of this.next.keys()) {
      const slot = this.#slots.get(name);
      const source = graph.initializers.get(slot?.like ?? name) as Tensor;
      const fresh = slot && !slot.copy;
      yield [name, fresh ? fromNumbers("float32", source.dims, new Float64Array(source.data.length)) : copied(source)];
    }
  }
}

const copied = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() });
