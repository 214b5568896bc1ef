/** @file Samples between the stages: their numbers, the readings of earlier exits, and their rows
 *  of hidden values. */
import type { Tensor } from "../../../core/tensor.js";
import type { ValueName } from "../../../graph/graph.js";
import type { Tensors } from "../../../runtime/backend.js";
import type { GateBit } from "../../model/units.js";
import type { Reading } from "../../route/route.js";

/** One sample between the stages. */
export interface Ticket {
  /** The sample's number in the stream. */
  readonly index: number;
  readonly readings: Reading[];
  /** Logits of each exit so far, one row each. */
  readonly logits: Float32Array[];
  /** One bit per gate. Undefined where the score is not known yet. */
  readonly bits: GateBit[];
}

/** Samples with their hidden values, one row each, in the same order. */
export interface Rows {
  readonly tickets: readonly Ticket[];
  readonly values: Tensors;
}

/** The rows at `places` of some values. Without a copy when these are all rows. */
export function pick(rows: Rows, names: readonly ValueName[], places: readonly number[]): Rows {
  const chosen = (name: ValueName): Tensor => {
    const value = rows.values[name];
    return places.length === rows.tickets.length ? value : gather(value, places);
  };
  return {
    tickets: places.map((place) => rows.tickets[place]),
    values: Object.fromEntries(names.map((name) => [name, chosen(name)])),
  };
}

/** Removes and returns the first `count` samples of some blocks of rows. The blocks must hold at
 * least that many. */
export function takeFirst(blocks: Rows[], count: number): Rows {
  const parts: Rows[] = [];
  for (let missing = count; missing > 0; ) {
    const block = blocks.shift() as Rows;
    const use = Math.min(missing, block.tickets.length);
    parts.push(use < block.tickets.length ? slice(block, 0, use) : block);
    if (use < block.tickets.length) blocks.unshift(slice(block, use, block.tickets.length));
    missing -= use;
  }
  return parts.length === 1 ? parts[0] : join(parts);
}

const rowLength = ({ data, dims }: Tensor): number => data.length / dims[0];

/** A typed array of the same kind. */
const like = (data: Tensor["data"], length: number): Tensor["data"] =>
  new (data.constructor as new (n: number) => Tensor["data"])(length);

function gather(value: Tensor, places: readonly number[]): Tensor {
  const each = rowLength(value);
  const data = like(value.data, places.length * each);
  places.forEach((place, i) => copy(value.data.subarray(place * each, (place + 1) * each), data, i * each));
  return { ...value, dims: [places.length, ...value.dims.slice(1)], data };
}

const slice = ({ tickets, values }: Rows, from: number, to: number): Rows => ({
  tickets: tickets.slice(from, to),
  values: mapValues(values, (value) => {
    const each = rowLength(value);
    return { ...value, dims: [to - from, ...value.dims.slice(1)], data: value.data.subarray(from * each, to * each) };
  }),
});

function join(parts: readonly Rows[]): Rows {
  const tickets = parts.flatMap((part) => part.tickets);
  const values = mapValues(parts[0].values, (first, name) => {
    const each = rowLength(first);
    const data = like(first.data, tickets.length * each);
    let at = 0;
    for (const part of parts) {
      const { data: rows } = part.values[name];
      copy(rows, data, at);
      at += rows.length;
    }
    return { ...first, dims: [tickets.length, ...first.dims.slice(1)], data };
  });
  return { tickets, values };
}

const copy = (from: Tensor["data"], to: Tensor["data"], at: number): void =>
  (to as Float32Array).set(from as Float32Array, at);

const mapValues = (values: Tensors, change: (value: Tensor, name: ValueName) => Tensor): Tensors =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
