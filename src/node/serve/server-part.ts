/** @file Runs the server's half of a split network, without HTTP: bytes of a request in, answers
 *  out. */
import { DynnError } from "../../core/errors.js";
import { type Bundle, partsOf } from "../../deploy/bundle.js";
import { type CompiledPart, compileParts, firstBits, releaseParts, runPart } from "../../deploy/device/part.js";
import type { Remote } from "../../deploy/device/remote.js";
import type { Manifest } from "../../deploy/manifest.js";
import { decodeRequest, type WireForm, type WireSamples } from "../../deploy/wire.js";
import type { Reply } from "../../deploy/wire-answer.js";
import { wireFormOf } from "../../deploy/wire-form.js";
import type { Routed } from "../../dynamic/route/route.js";
import type { Rows, Ticket } from "../../dynamic/run/executor/rows.js";
import type { Backend } from "../../runtime/backend.js";
import { batchFor } from "../../runtime/batch.js";
import { Batcher } from "./batcher.js";
import { checkWhole } from "./settings.js";

/** How the server's half runs. */
export interface ServerPartOptions {
  /** Runs the server's part. */
  readonly backend: Backend;
  /** The most samples in one request, and in one run over several requests. Left out: as many as
   * the memory allows, at most 64. */
  readonly maxBatch?: number | undefined;
  /** Milliseconds that a request waits for others to run together with. Default: 2. */
  readonly windowMs?: number | undefined;
  /** Called with the number of samples of each run. */
  readonly onRun?: ((samples: number) => void) | undefined;
}

const DEFAULT_WINDOW_MS = 2;

/** Prepare the server's half for running. The server side of the bundle is enough.
 * @throws DynnError 'serve/config' when the bundle is not a split, the server's part was not opened
 *   or an option is out of range
 * @throws DynnError 'memory/batch' when a run would not fit into the free memory; 'runtime/load' */
export async function createServerPart(bundle: Bundle, options: ServerPartOptions): Promise<ServerPart> {
  const { windowMs = DEFAULT_WINDOW_MS } = options;
  checkWhole("window", windowMs, 0);
  const form = wireFormOf(bundle.manifest);
  const maxBatch = maxBatchOf(bundle, options);
  const [part] = await compileParts(partsOf(bundle, "server"), options.backend);
  return new ServerPart(bundle.manifest, form, part, { ...options, maxBatch, windowMs });
}

/** The most samples in one run: the given number, or as many as the memory allows.
 * @throws DynnError 'serve/config', 'memory/batch' */
export function maxBatchOf(
  bundle: Bundle,
  { backend, maxBatch }: Pick<ServerPartOptions, "backend" | "maxBatch">,
): number {
  if (maxBatch !== undefined) checkWhole("max-batch", maxBatch);
  const [{ name, graph }] = partsOf(bundle, "server");
  return batchFor({ name, graph, backend, batch: maxBatch }).batch;
}

/** The server's half of a split. It answers requests in the wire format, several of them in one
 * run. */
export class ServerPart {
  /** The manifest of the bundle that it serves. */
  readonly manifest: Manifest;
  /** The form that requests must have. */
  readonly form: WireForm;
  /** The most samples in one request. */
  readonly maxBatch: number;
  /** A remote for a device in the same process. */
  readonly remote: Remote = { classify: (request, { signal }) => this.classify(request, signal) };
  readonly #part: CompiledPart;
  readonly #batcher: Batcher;

  constructor(
    manifest: Manifest,
    form: WireForm,
    part: CompiledPart,
    { maxBatch, windowMs, onRun }: ServerPartOptions & { readonly maxBatch: number; readonly windowMs: number },
  ) {
    this.manifest = manifest;
    this.form = form;
    this.maxBatch = maxBatch;
    this.#part = part;
    const run = async (rows: Rows): Promise<readonly Routed[]> => {
      onRun?.(rows.tickets.length);
      const { answered } = await runPart(this.#part, rows, manifest);
      return answered.map(({ answer }) => answer);
    };
    this.#batcher = new Batcher({ most: maxBatch, windowMs, run });
  }

  /** Answer a request.
   * @throws DynnError the errors of decodeRequest, 'wire/value' when the values lead to logits that
   *   are not finite, 'runtime/run', or the signal's reason */
  async classify(request: Uint8Array, signal?: AbortSignal): Promise<Reply> {
    const start = performance.now();
    const answers = await this.#batcher.submit(
      this.#rowsOf(decodeRequest(request, { form: this.form, most: this.maxBatch })),
      signal,
    );
    checkAnswers(answers);
    return { answers, ms: performance.now() - start };
  }

  #rowsOf({ readings, bits, values }: WireSamples): Rows {
    const tickets = readings.map((of, index): Ticket => {
      const all = firstBits(this.manifest);
      this.form.gates.forEach((gate, k) => {
        all[gate] = bits?.[index][k];
      });
      return { index, readings: [...of], logits: [], bits: all };
    });
    return { tickets, values };
  }

  /** The server stops soon. From now on, no request waits for other requests. */
  hurry(): void {
    this.#batcher.hurry();
  }

  /** Finish all requests, then free memory. */
  async close(): Promise<void> {
    this.hurry();
    await this.#batcher.idle();
    await releaseParts([this.#part]);
  }
}

/** @throws DynnError 'wire/value' */
function checkAnswers(answers: readonly Routed[]): void {
  const sample = answers.findIndex(({ confidence }) => !Number.isFinite(confidence));
  if (sample < 0) return;
  throw new DynnError(
    "wire/value",
    `sample ${sample}: its hidden values are finite, but its logits are not. Check the image and the device's half of the network.`,
    { sample },
  );
}
