/** @file Options that several commands share. Each is declared once, with its form, help text,
 *  reader and default. A command picks options by name and states the differences. */
import { Option } from "commander";
import { parseQuantity } from "../../core/units.js";
import { MIN_VALIDATION } from "../../data/split.js";
import { CHANNEL_ORDERS } from "../../dynamic/model/input.js";
import type { ModelOptions } from "../../dynamic/model/model.js";
import { HEAD_NAMES, type HeadName } from "../../nn/heads.js";
import { type OrtNodeOptions, PROVIDERS, type Provider } from "../../node/ort-node/index.js";
import type { Normalization } from "../../schema/normalization.js";
import { FALLBACKS, type Policy, RULES } from "../../schema/policy.js";
import type { AuditOptions } from "../../studies/audit/index.js";
import {
  file,
  fileOrOutput,
  imageSize,
  listOf,
  oneOf,
  option,
  port,
  type Reader,
  radius,
  text,
  whole,
} from "./options.js";

/** The type of each option's value. */
interface CommonValues {
  readonly data: string;
  readonly samples: number;
  readonly classes: string;
  readonly byOrder: boolean;
  readonly validation: string;
  readonly validationSamples: number;
  readonly imageSize: NonNullable<ModelOptions["imageSize"]>;
  readonly exits: NonNullable<ModelOptions["exits"]>;
  readonly final: NonNullable<ModelOptions["final"]>;
  readonly mean: Normalization["mean"];
  readonly std: Normalization["std"];
  readonly forceNormalization: boolean;
  readonly channels: (typeof CHANNEL_ORDERS)[number];
  readonly rule: Policy["rule"];
  readonly fallback: Policy["fallback"];
  readonly head: HeadName;
  readonly timeBatch: number;
  readonly eps: number;
  readonly seed: AuditOptions["seed"];
  readonly batch: number;
  readonly threads: NonNullable<OrtNodeOptions["threads"]>;
  readonly provider: Provider;
  readonly json: string;
  readonly report: string;
  readonly port: number;
  readonly attacks: readonly string[];
  readonly attackFile: string;
  readonly baseline: string;
}
type Name = keyof CommonValues;

/** The flags of a command that picks options. Some always have a value, the others may be
 * undefined. */
export type CommonFlags<Always extends Name, Maybe extends Name = never> = Pick<CommonValues, Always> &
  Partial<Pick<CommonValues, Maybe>>;

interface Declared<T> {
  readonly flags: string;
  readonly about: string;
  readonly read: Reader<T>;
  /** The value when the option is not given. */
  readonly default?: T | undefined;
  /** The default as the help shows it. */
  readonly shown?: string | undefined;
  /** An option that it does not go with. */
  readonly conflicts?: string | undefined;
}

/** The default head of an exit. */
export const HEAD_DEFAULTS = "sdn for images, mean-linear for tokens, linear for vectors";

const COMMON: { readonly [K in Name]: Declared<CommonValues[K]> } = {
  data: {
    flags: "--data <spec>",
    about: "cifar10:DIR, cifar100:DIR, folder:DIR, npy:IMAGES,LABELS or sample",
    read: text,
    default: "sample",
  },
  samples: { flags: "--samples <n>", about: "the first N records", read: whole(1, 100) },
  classes: {
    flags: "--classes <file>",
    about: 'JSON that names the model\'s class for a class of the data: {"car": "automobile"}',
    read: file,
    conflicts: "byOrder",
  },
  byOrder: {
    flags: "--by-order",
    about: "take the classes of the data in their order, whatever they are called",
    read: () => true,
  },
  validation: {
    flags: "--validation <spec>",
    about: "data to choose thresholds on (default: records of --data that are not reported)",
    read: text,
  },
  validationSamples: {
    flags: "--validation-samples <n>",
    about: "number of validation records",
    read: whole(MIN_VALIDATION, 1000),
    default: 1000,
  },
  imageSize: {
    flags: "--image-size <h,w>",
    about: "for a model without a fixed image size",
    read: imageSize,
  },
  exits: {
    flags: "--exits <names>",
    about: "outputs that are early exits (default: those that stop before the final one)",
    read: listOf(text),
  },
  final: {
    flags: "--final <name>",
    about: "output that is the final classifier (default: the costliest)",
    read: text,
  },
  mean: {
    flags: "--mean <list>",
    about: "per channel; for a model that expects (x - mean) / std",
    read: listOf(parseQuantity),
  },
  std: { flags: "--std <list>", about: "per channel, with --mean", read: listOf(parseQuantity) },
  forceNormalization: {
    flags: "--force-normalization",
    about: "normalise also a model that normalises its input already",
    read: () => true,
  },
  channels: {
    flags: "--channels <order>",
    about: `order of the channels that the model expects: ${CHANNEL_ORDERS.join(" or ")} (default: rgb)`,
    read: oneOf(CHANNEL_ORDERS),
  },
  rule: {
    flags: "--rule <name>",
    about: `exit rule: ${RULES.join(", ")} (default: the model's own, else max-softmax)`,
    read: oneOf(RULES),
  },
  fallback: {
    flags: "--fallback <name>",
    about: `answer when no early exit fires: ${FALLBACKS.join(" or ")} (default: the model's own, else final)`,
    read: oneOf(FALLBACKS),
  },
  head: {
    flags: "--head <name>",
    about: `classifier of an early exit: ${HEAD_NAMES.join(", ")} (default: ${HEAD_DEFAULTS})`,
    read: oneOf(HEAD_NAMES),
  },
  timeBatch: {
    flags: "--time-batch <n>",
    about: "batch size at which times are measured",
    read: whole(1, 1),
    default: 1,
  },
  eps: {
    flags: "--eps <radius>",
    about: "Linf radius of the attacks; pixels lie in [0,1]",
    read: radius,
    default: 8 / 255,
    shown: "8/255",
  },
  attacks: {
    flags: "--attacks <list>",
    about: "names of attacks (`dynn attacks` lists them), all or none",
    read: listOf(text),
  },
  attackFile: {
    flags: "--attack-file <file>",
    about: "a JSON file that states the attacks exactly (docs/attack-file.md)",
    read: file,
    conflicts: "attacks",
  },
  baseline: {
    flags: "--baseline <model>",
    about: "a network to compare with, usually a smaller one without exits",
    read: text,
  },
  seed: { flags: "--seed <n>", about: "seed of every random number", read: whole(0, 0), default: 0 },
  batch: {
    flags: "--batch <n>",
    about: "samples per evaluation; it changes time and memory, not results (default: up to 64, as many as 1 GB holds)",
    read: whole(1, 64),
  },
  threads: { flags: "--threads <n>", about: "threads of the engine (default: one per core)", read: whole(1, 2) },
  provider: {
    flags: "--provider <name>",
    about: `where to compute: ${PROVIDERS.join(", ")}`,
    read: oneOf(PROVIDERS),
    default: "cpu",
  },
  json: { flags: "--json <file>", about: "write the results as JSON; - prints them", read: fileOrOutput },
  port: { flags: "--port <n>", about: "port to listen on; 0 takes any free port", read: port, default: 8790 },
  report: { flags: "--report <file>", about: "write a self-contained HTML report", read: file },
};

/** A shared option.
 * @param change the differences in this command; `default: undefined` removes the default */
export function common<K extends Name>(name: K, change: Partial<Declared<CommonValues[K]>> = {}): Option {
  const declared: Declared<CommonValues[K]> = { ...COMMON[name], ...change };
  const made = option(declared.flags, declared.about, declared.read);
  if (declared.conflicts !== undefined) made.conflicts(declared.conflicts);
  return declared.default === undefined ? made : made.default(declared.default, declared.shown);
}

/** Shared options as they are declared. */
export const commons = (...names: readonly Name[]): Option[] => names.map((name) => common(name));

/** The option --json of a command that writes a record. */
export const recordJson = (document: string): Option =>
  common("json", { about: `write the record as JSON (${document}); - prints it instead of the tables` });

/** The option --no-speed of a command that times what it makes. */
export const noSpeed = (): Option => new Option("--no-speed", "do not time the result (about 20 seconds)");

/** The flags that choose which outputs are exits. */
export type HeadFlags = CommonFlags<never, "exits" | "final">;

/** The head flags as options of a model. */
export const headsOfFlags = ({ exits, final }: HeadFlags): Pick<ModelOptions, "exits" | "final"> => ({ exits, final });
