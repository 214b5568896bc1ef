/** @file The device: it answers the samples that its exits are confident of, and sends the hidden
 *  values of the others to the server.
 *  When the server does not answer, the device answers those samples itself. A bundle without a
 *  remote runs on the device to its end. */
import { DynnError } from "../../core/errors.js";
import { checkGiven } from "../../core/given.js";
import { Images, pixelsOf } from "../../core/images.js";
import { Lifetime } from "../../core/lifetime.js";
import { checkPixels } from "../../core/pixels.js";
import type { Tensor } from "../../core/tensor.js";
import { type Named, named } from "../../dynamic/route/named.js";
import { type Routed, routeReadings, withBits } from "../../dynamic/route/route.js";
import type { Rows, Ticket } from "../../dynamic/run/executor/rows.js";
import type { Backend } from "../../runtime/backend.js";
import { type Bundle, partsOf } from "../bundle.js";
import type { Manifest } from "../manifest.js";
import { encodeRequest, type WireForm } from "../wire.js";
import { wireFormOf } from "../wire-form.js";
import type { Wire } from "../wire-values.js";
import { type CompiledPart, compileParts, firstBits, releaseParts, runPart } from "./part.js";
import type { Remote } from "./remote.js";

export const PLACES = ["device", "server", "fallback"] as const;
/** Who answered. `fallback` means that the device answered because the server was not reached. */
export type Place = (typeof PLACES)[number];

/** An answer with its place, times and bytes. */
export interface PlacedAnswer extends Routed, Named {
  /** Who answered. */
  readonly place: Place;
  /** The answer of the device alone: from the exit that is confident enough, else from its most
   * confident exit. */
  readonly local: Routed & Named;
  /** Milliseconds from the start of the image's batch until its answer. */
  readonly ms: number;
  /** The share of `ms` on the device, in milliseconds. */
  readonly deviceMs: number;
  /** The share of `ms` in the server, in milliseconds, as the server reports it. */
  readonly serverMs: number;
  /** Bytes sent for the image. Counted only when an answer came back. */
  readonly bytes: number;
  /** Why the answer is a fallback. */
  readonly reason?: string | undefined;
}

/** How a device runs its half. */
export interface DeviceOptions {
  /** Runs the device's parts. */
  readonly backend: Backend;
  /** Answers the samples that the device is not confident of, for a split bundle. Default: the
   * bundle's other half in this process. */
  readonly remote?: Remote | undefined;
  /** The number format of hidden values on the wire. Default: float32. */
  readonly wire?: Wire | undefined;
  /** The most images at a time. They are also sent together. Default: 1, as a device sees them. */
  readonly batch?: number | undefined;
}

/** How a device classifies. */
export interface DeviceRun {
  /** Stops the work. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of images done and the number of all images. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Make a device. The caller owns the remote. With a remote, the device side of the bundle is
 * enough.
 * @throws DynnError 'serve/config' when a remote is given for a bundle that is not a split, a part
 *   that runs here was not opened, or `batch` is not a whole number; 'runtime/load' */
export async function createDevice(bundle: Bundle, options: DeviceOptions): Promise<Device> {
  checkGiven("createDevice", { bundle, options, backend: options?.backend });
  const { remote, batch = 1, wire = "float32" } = options;
  if (!(Number.isInteger(batch) && batch >= 1))
    throw new DynnError("serve/config", `batch: got ${batch}, expected a whole number of at least 1. Give e.g. 1.`, {
      batch,
    });
  const link = remote && { remote, wire, form: wireFormOf(bundle.manifest) };
  const parts = await compileParts(partsOf(bundle, link && "device"), options.backend);
  return new Device(bundle.manifest, parts, batch, link);
}

/** The remote and the form of its requests. */
interface Link {
  readonly remote: Remote;
  readonly wire: Wire;
  readonly form: WireForm;
}

/** One batch in progress. */
interface Pass {
  readonly start: number;
  readonly answers: PlacedAnswer[];
  readonly signal: AbortSignal | undefined;
}

/** The device's half of a split, or a whole bundle on one machine. */
export class Device {
  readonly #manifest: Manifest;
  readonly #parts: readonly CompiledPart[];
  readonly #batch: number;
  readonly #link: Link | undefined;
  readonly #life: Lifetime;

  constructor(manifest: Manifest, parts: readonly CompiledPart[], batch: number, link: Link | undefined) {
    this.#manifest = manifest;
    this.#parts = parts;
    this.#batch = batch;
    this.#link = link;
    this.#life = new Lifetime(`the device of ${manifest.model}`, () => releaseParts(parts));
  }

  /** Classify images, one batch after the other.
   * @param given images, or float32 [n*c*h*w] in [0,1]
   * @returns one answer per image, in order; a server that is not reached is not a failure
   * @throws DynnError 'data/shape', 'data/value', 'runtime/run', 'wire/value', 'serve/refused', or
   *   the signal's reason; 'call/argument', 'call/released' */
  async classify(given: Float32Array | Images, { signal, onProgress }: DeviceRun = {}): Promise<PlacedAnswer[]> {
    this.#life.check();
    const images = pixelsOf("device.classify", given);
    const { model: name, input } = this.#manifest;
    const all = Images.for({ name, input }, images);
    checkPixels({ name: "images", pixels: images }, all.size);
    const answers: PlacedAnswer[] = [];
    while (answers.length < all.count) {
      signal?.throwIfAborted();
      const some = all.rows(answers.length, answers.length + this.#batch);
      answers.push(...(await this.#classifyBatch(some, signal)));
      onProgress?.(answers.length, all.count);
    }
    return answers;
  }

  /** Free the memory. A second call does nothing. */
  release(): Promise<void> {
    return this.#life.release();
  }

  /** Frees the memory at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #classifyBatch(
    { data, count, dims }: Images,
    signal: AbortSignal | undefined,
  ): Promise<readonly PlacedAnswer[]> {
    const pass: Pass = { start: performance.now(), answers: [], signal };
    const tickets = Array.from(
      { length: count },
      (_, index): Ticket => ({
        ...{ index, readings: [], logits: [] },
        bits: firstBits(this.#manifest),
      }),
    );
    const image: Tensor = { dtype: "float32", dims: [count, ...dims], data };
    let rows: Rows | undefined = { tickets, values: { [this.#manifest.input.name]: image } };
    for (const part of this.#parts) {
      if (!rows) break;
      const { answered, remaining } = await runPart(part, rows, this.#manifest);
      const ms = performance.now() - pass.start;
      for (const { ticket, answer } of answered) {
        const local = this.#named(answer);
        pass.answers[ticket.index] = { ...local, place: "device", local, ms, deviceMs: ms, serverMs: 0, bytes: 0 };
      }
      rows = remaining;
    }
    if (rows) await this.#send(rows, pass);
    return pass.answers;
  }

  /** Ask the remote. When the remote is not reached, answer with the most confident exit so far. */
  async #send({ tickets, values }: Rows, { start, answers, signal }: Pass): Promise<void> {
    const { form, wire, remote } = this.#link as Link;
    const readings = tickets.map((ticket) => ticket.readings);
    const bits = tickets.map((ticket) => form.gates.map((gate) => ticket.bits[gate]));
    const request = encodeRequest({ readings, bits, values }, { form, wire });
    const deviceMs = performance.now() - start;
    const bytes = request.length / tickets.length;
    const locals = tickets.map((ticket) => this.#named(surest(ticket, this.#manifest)));
    const got = await remote.classify(request, { samples: tickets.length, signal }).catch(ifUnreachable);
    const shared = { deviceMs, ms: performance.now() - start, bytes: 0, serverMs: 0 };
    tickets.forEach(({ index }, i) => {
      const local = locals[i];
      answers[index] =
        "reason" in got
          ? { ...local, ...shared, place: "fallback", local, reason: got.reason }
          : { ...this.#named(got.answers[i]), ...shared, place: "server", local, bytes, serverMs: got.ms };
    });
  }

  #named<T extends Routed>(answer: T): T & Named {
    const { exits, gates = [], classes } = this.#manifest;
    return named({ exits, gates, classNames: classes.names }, answer);
  }
}

/** The answer of the most confident exit so far, when no exit is confident enough to stop. */
const surest = ({ readings, bits }: Ticket, { policy, gates = [] }: Pick<Manifest, "policy" | "gates">): Routed =>
  withBits(
    routeReadings(readings, { ...policy, fallback: "most-confident" }, readings.length) as Routed,
    bits,
    gates.map(({ exit }) => exit),
  );

function ifUnreachable(error: unknown): { readonly reason: string } {
  if (error instanceof DynnError && error.code === "serve/unreachable") return { reason: String(error.detail.reason) };
  throw error;
}
