/** @file Tracks values in two layouts while a graph is rewritten.
 *  Plain is NCHW. Blocked is NCHWc: channels in blocks that fill a vector register, [n, c / block,
 *  h, w, block] in memory under the declared shape [n, c, h, w].
 *  A value changes layout only when a node needs it, and at most once. A sub-graph reads values of
 *  the graph around it in either layout.
 *  Source: ONNX Runtime, "NCHWc" graph transformer and its com.microsoft.nchwc operators. */
import type { Tensor } from "../../core/tensor.js";
import { int } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import {
  consumers,
  type Graph,
  type Node,
  producers,
  reads,
  type ValueName,
  type ValueType,
} from "../../graph/graph.js";
import { prune } from "../../graph/passes/prune.js";

/** The domain of ONNX Runtime's blocked operators. */
export const NCHWC = "com.microsoft.nchwc";

interface Emitted {
  node: Node;
}

export class Layout {
  readonly graph: Graph;
  /** Channels in a block. */
  readonly block: number;
  /** Makes constants and names. Nodes are kept in this class until {@link build}. */
  readonly #b: GraphBuilder;
  readonly #readers: ReadonlyMap<ValueName, readonly Node[]>;
  readonly #makers: ReadonlyMap<ValueName, Node>;
  readonly #uses: ReadonlyMap<ValueName, number>;
  readonly #out: (Emitted | undefined)[] = [];
  readonly #plain = new Map<ValueName, ValueName>();
  readonly #blocked = new Map<ValueName, ValueName>();
  readonly #outer: Layout | undefined;
  /** Weights in blocks, by their name and layout. */
  readonly #laid = new Map<string, ValueName>();
  /** Blocked convolutions that may still get a bias, a sum or an activation, by their output. */
  readonly #convs = new Map<ValueName, number>();

  constructor(graph: Graph, block: number, outer?: Layout) {
    this.graph = graph;
    this.block = block;
    this.#outer = outer;
    this.#b = new GraphBuilder({ ...graph, nodes: [] });
    for (const name of graph.nodes.flatMap((node) => node.outputs)) this.#b.reserve(name);
    for (const name of outer?.names ?? []) this.#b.reserve(name);
    this.#readers = consumers(graph);
    this.#makers = producers(graph);
    const outputs = new Set(graph.outputs.map((o) => o.name));
    this.#uses = new Map(
      [...this.#readers].map(([name, nodes]) => {
        const uses = nodes.reduce((sum, node) => sum + reads(node).filter((read) => read === name).length, 0);
        return [name, uses + (outputs.has(name) ? 1 : 0)];
      }),
    );
    for (const { name } of graph.inputs) this.#plain.set(name, name);
    for (const name of graph.initializers.keys()) this.#plain.set(name, name);
  }

  get b(): GraphBuilder {
    return this.#b;
  }

  /** Dimensions of a value, as far as they are known. */
  shape(name: ValueName | undefined): readonly (number | string)[] {
    return this.typeOf(name)?.shape ?? [];
  }

  isFloat(name: ValueName): boolean {
    return this.typeOf(name)?.dtype === "float32";
  }

  private typeOf(name: ValueName | undefined): ValueType | undefined {
    return this.graph.types.get(name ?? "") ?? this.outputType(name) ?? this.#outer?.typeOf(name);
  }

  /** The type that the graph declares for an output. */
  private outputType(name: ValueName | undefined): ValueType | undefined {
    const info = this.graph.outputs.find((output) => output.name === name);
    return info?.shape && { dtype: info.dtype, shape: info.shape };
  }

  /** The constant of that name, from this graph or a graph around it. */
  constant(name: ValueName | undefined): Tensor | undefined {
    return this.graph.initializers.get(name ?? "") ?? this.#outer?.constant(name);
  }

  /** Every name that a sub-graph can see. */
  get names(): readonly ValueName[] {
    return [...this.#plain.values(), ...this.#blocked.values(), ...(this.#outer?.names ?? [])];
  }

  /** The nodes of the graph that read a value. */
  readers(name: ValueName): readonly Node[] {
    return this.#readers.get(name) ?? [];
  }

  /** The node of the graph that makes a value. */
  maker(name: ValueName): Node | undefined {
    return this.#makers.get(name);
  }

  isUsedOnce(name: ValueName): boolean {
    return this.#uses.get(name) === 1;
  }

  isBlocked(name: ValueName | undefined): boolean {
    return this.blockedName(name) !== undefined;
  }

  private blockedName(name: ValueName | undefined): ValueName | undefined {
    return this.#blocked.get(name ?? "") ?? this.#outer?.blockedName(name);
  }

  private plainName(name: ValueName): ValueName | undefined {
    return this.#plain.get(name) ?? this.#outer?.plainName(name);
  }

  /** Whether a value is a batch of images whose channels fill blocks. */
  fits(name: ValueName): boolean {
    const [, channels] = this.shape(name);
    return this.shape(name).length === 4 && typeof channels === "number" && channels % this.block === 0;
  }

  /** The value in plain layout. It has its own name, unless a graph around this one made it. */
  plain(name: ValueName): ValueName {
    const known = this.plainName(name);
    if (known !== undefined) return known;
    const blocked = this.blockedName(name);
    if (blocked === undefined) throw new Error(`bug: nothing made "${name}" so far`);
    const output = this.#blocked.has(name) ? name : this.#b.fresh(name);
    this.push({
      opType: "ReorderOutput",
      domain: NCHWC,
      name: "",
      inputs: [blocked],
      outputs: [output],
      attributes: { channels: int(this.shape(name)[1] as number) },
    });
    this.#plain.set(name, output);
    return output;
  }

  /** The value in blocked layout. */
  blocked(name: ValueName): ValueName {
    const known = this.blockedName(name);
    if (known !== undefined) return known;
    const blocked = this.nchwc("ReorderInput", [this.plain(name)], {}, `${name}.blocked`);
    this.#blocked.set(name, blocked);
    return blocked;
  }

  /** A constant in blocks, made once. */
  laidOut(name: ValueName, how: string, make: () => Tensor): ValueName {
    return this.once(`${how} ${name}`, () => this.#b.constant(make(), `${name}.blocked`));
  }

  /** A value that several nodes need in the same form, made once. */
  once(key: string, make: () => ValueName): ValueName {
    const known = this.#laid.get(key) ?? make();
    this.#laid.set(key, known);
    return known;
  }

  /** Record that a value of the graph exists in plain layout. */
  madePlain(name: ValueName): void {
    this.#plain.set(name, name);
  }

  /** Record that `blocked` holds a value of the graph in blocked layout. */
  madeBlocked(name: ValueName, blocked: ValueName): void {
    this.#blocked.set(name, blocked);
  }

  push(node: Node): number {
    this.#out.push({ node });
    return this.#out.length - 1;
  }

  /** A small node in plain layout with a fresh output. */
  op(
    opType: string,
    inputs: readonly ValueName[],
    attributes: Node["attributes"] = {},
    hint = opType.toLowerCase(),
  ): ValueName {
    const output = this.#b.fresh(hint);
    this.push({ opType, domain: "", name: "", inputs, outputs: [output], attributes });
    return output;
  }

  /** A blocked operator with a fresh output. */
  nchwc(
    opType: string,
    inputs: readonly ValueName[],
    attributes: Node["attributes"] = {},
    hint = opType.toLowerCase(),
  ): ValueName {
    const output = this.#b.fresh(hint);
    this.push({ opType, domain: NCHWC, name: "", inputs, outputs: [output], attributes });
    return output;
  }

  /** A blocked convolution that makes `name`.
   * @param inputs blocked X, blocked W, and a bias or "" */
  conv(name: ValueName, inputs: readonly ValueName[], attributes: Node["attributes"]): void {
    const output = this.#b.fresh(`${name}.blocked`);
    const at = this.push({ opType: "Conv", domain: NCHWC, name: "", inputs, outputs: [output], attributes });
    this.madeBlocked(name, output);
    this.#convs.set(output, at);
  }

  /** The blocked convolution that makes a value for one reader only, so that the reader can be
   * fused into it. */
  ownConv(name: ValueName): Node | undefined {
    const at = this.#convs.get(this.#blocked.get(name) ?? "");
    return at !== undefined && this.isUsedOnce(name) ? this.#out[at]?.node : undefined;
  }

  /** Replace the convolution that makes `from` by a changed one that makes `to`. It stands after
   * all its inputs. */
  refit(from: ValueName, to: ValueName, node: Node): void {
    const output = node.outputs[0];
    this.#out[this.#convs.get(output) as number] = undefined;
    this.#convs.set(output, this.push(node));
    this.#blocked.delete(from);
    this.madeBlocked(to, output);
  }

  /** The rewritten graph. Shape inference does not know ONNX Runtime's blocked operators, so types
   * are stated.
   * Without stated types, ONNX Runtime would not know the number of rows of a value in a sub-graph.
   * It would then add a sum to a convolution's output in new memory and not in place.
   * @param stay outputs, by their places, that stay blocked */
  build(stay: readonly boolean[] = []): Graph {
    const outputs = this.graph.outputs.map((output, k) => ({
      ...output,
      name: stay[k] ? this.blocked(output.name) : this.plain(output.name),
    }));
    const nodes = this.#out.flatMap((entry) => (entry ? [entry.node] : []));
    const stated = [...this.#plain, ...[...this.#blocked].filter(([name]) => this.fits(name))];
    const types = new Map(
      stated.flatMap(([name, made]) => {
        const type = this.typeOf(name);
        return type ? [[made, type]] : [];
      }),
    );
    return prune({ ...this.#b.build(), nodes, outputs, types });
  }
}

/** The position of a channel's pixel in the memory of a blocked image of `pixels` pixels. */
export const placeInBlocks = (channel: number, pixel: number, pixels: number, block: number): number =>
  (Math.floor(channel / block) * pixels + pixel) * block + (channel % block);
