/** @file Opens the network of `dynn classify`: a split bundle with or without a server, a staged
 *  bundle, or a model. */
import { stat } from "node:fs/promises";
import { DynnError } from "../../core/errors.js";
import { Images, imageDims } from "../../core/images.js";
import type { Bundle } from "../../deploy/bundle.js";
import { createDevice, type PlacedAnswer } from "../../deploy/device/device.js";
import type { Remote } from "../../deploy/device/remote.js";
import type { Wire } from "../../deploy/wire-values.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { underPolicy } from "../../dynamic/model/under-policy.js";
import type { Units } from "../../dynamic/model/units.js";
import { type ExitAnswer, exitAnswers } from "../../dynamic/route/exit-answers.js";
import { createExecutor } from "../../dynamic/run/executor/index.js";
import { Forward } from "../../dynamic/run/forward.js";
import { checkOutputs } from "../../dynamic/run/outputs.js";
import { type ClientOptions, SplitClient } from "../../node/client.js";
import { openBundle } from "../../node/deploy/bundle.js";
import { openModel } from "../../node/models.js";
import { createServerPart } from "../../node/serve/server-part.js";
import type { Backend } from "../../runtime/backend.js";
import type { Normalization } from "../../schema/normalization.js";
import type { Policy, Threshold } from "../../schema/policy.js";
import { exportPolicy } from "../export/policy.js";
import { type CommonFlags, type HeadFlags, headsOfFlags } from "../shared/common-options.js";
import { type NormalizationFlags, normalizationOf } from "../shared/normalization-options.js";
import type { RuleFlags } from "../shared/policy-options.js";
import type { Wanted } from "./images.js";

/** A network that is ready to classify. */
export interface Classifier {
  readonly classify: (images: Float32Array, signal: AbortSignal) => Promise<readonly PlacedAnswer[]>;
  readonly release: () => Promise<void>;
}

export interface ClassifierSource extends Wanted {
  readonly kind: "split" | "staged" | "model";
  readonly exits: readonly string[];
  /** The units that the cost of an answer depends on. */
  readonly units: Units;
  readonly classNames: readonly string[] | null;
  /** Null where it is not known whether the network normalises its input. */
  readonly normalization: Normalization | undefined | null;
  /** Where it computes, for people. */
  readonly where: string;
  /** What every exit answers for each image. Undefined for a bundle. */
  readonly everyExit?: (images: Float32Array, signal: AbortSignal) => Promise<readonly (readonly ExitAnswer[])[]>;
  /** @param wire the number format on the wire, for a split bundle with a server */
  readonly open: (wire: Wire, batch: number) => Promise<Classifier>;
}

export interface ClassifierFlags extends RuleFlags, HeadFlags, NormalizationFlags, CommonFlags<never, "imageSize"> {
  readonly threshold?: readonly Threshold[];
}

/** @param server how to reach the server
 * @throws DynnError the errors of opening a bundle or a model; 'cli/usage' when options do not fit
 *   the opened network */
export async function openClassifierSource(
  spec: string,
  flags: ClassifierFlags,
  server: ClientOptions | undefined,
  backend: Backend,
): Promise<ClassifierSource> {
  const folder = (await stat(spec).catch(() => undefined))?.isDirectory();
  if (!folder) return ofModel(spec, flags, backend);
  const set = (
    [
      ...(["rule", "threshold", "fallback", "imageSize", "exits", "final"] as const),
      ...(["mean", "std", "forceNormalization", "channels"] as const),
    ] as const
  ).find((key) => flags[key]);
  if (set === undefined) return ofBundle(await openBundle(spec, { side: server && "device" }), server, backend);
  throw new DynnError(
    "cli/usage",
    `${spec}: is a bundle, which has its own policy and input, but --${set.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is for models. Leave it out.`,
    { option: set },
  );
}

async function ofModel(spec: string, flags: ClassifierFlags, backend: Backend): Promise<ClassifierSource> {
  const size = flags.imageSize && { imageSize: flags.imageSize };
  const model = await openModel(spec, { ...size, ...normalizationOf(flags), ...headsOfFlags(flags) });
  const policy = exportPolicy(flags, model);
  return {
    kind: "model",
    name: model.name,
    dims: imageDims(model),
    classes: model.classes,
    classNames: model.classNames ?? null,
    normalization: model.normalization,
    exits: model.exits.map((exit) => exit.name),
    units: model,
    where: "everything on this machine, stage by stage",
    everyExit: (pixels, signal) => everyExit(model, { backend, policy, pixels, signal }),
    open: async (_, batch) => {
      const executor = await createExecutor(model, { backend, policy, batch });
      return {
        classify: async (images, signal) => {
          const start = performance.now();
          const answers = await executor.classify(images, { signal });
          const ms = performance.now() - start;
          return answers.map(({ logits, ...local }) => ({ ...local, local, ...HERE, ms, deviceMs: ms }));
        },
        release: () => executor.release(),
      };
    },
  };
}

interface Asked {
  readonly backend: Backend;
  readonly policy: Policy;
  readonly pixels: Float32Array;
  readonly signal: AbortSignal;
}

async function everyExit(given: DynamicModel, { backend, policy, pixels, signal }: Asked): Promise<ExitAnswer[][]> {
  const model = underPolicy(await checkOutputs(given, { backend }), policy);
  const forward = await Forward.compile(model, { backend });
  try {
    const logits = await forward.logits(Images.for(model, pixels), { signal });
    return Array.from({ length: logits.count }, (_, i) => exitAnswers(model, { logits, policy, i }));
  } finally {
    await forward.release();
  }
}

const HERE = { place: "device", serverMs: 0, bytes: 0 } as const;

function ofBundle(bundle: Bundle, server: ClientOptions | undefined, backend: Backend): ClassifierSource {
  const { kind, model, input, classes, exits, gates = [] } = bundle.manifest;
  return {
    kind,
    name: model,
    dims: input.shape.slice(1) as unknown as ClassifierSource["dims"],
    classes: classes.count,
    classNames: classes.names,
    normalization: null,
    exits: exits.map((exit) => exit.name),
    units: { exits, gates },
    where: whereOf(kind, server),
    open: async (wire, batch) => {
      const { remote, close } = await remoteOf(bundle, server, backend, batch);
      const device = await createDevice(bundle, { backend, remote, wire, batch });
      return {
        classify: (images, signal) => device.classify(images, { signal }),
        release: async () => {
          await device.release();
          await close();
        },
      };
    },
  };
}

function whereOf(kind: Bundle["manifest"]["kind"], server: ClientOptions | undefined): string {
  if (kind === "staged") return "everything on this machine, stage by stage";
  return server
    ? `device on this machine, server at ${server.url}`
    : "device on this machine; without --server, the server's half runs on this machine too";
}

/** The remote of the device: the server, or the server's half in this process. */
async function remoteOf(
  bundle: Bundle,
  server: ClientOptions | undefined,
  backend: Backend,
  batch: number,
): Promise<{ readonly remote: Remote | undefined; readonly close: () => Promise<void> }> {
  if (bundle.manifest.kind === "staged") return { remote: undefined, close: async () => {} };
  if (server) return { remote: new SplitClient(bundle.manifest, server), close: async () => {} };
  const part = await createServerPart(bundle, { backend, maxBatch: batch, windowMs: 0 });
  return { remote: part.remote, close: () => part.close() };
}
