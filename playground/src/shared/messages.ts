/** @file What the page and its engine say to each other. The engine is a Web Worker, so the page
 *  never waits for a network. */
import type { AttackConfig, Catalogue, Fallback, ImageDims, Rule } from "dynn/web";

/** The policy that the page shows: one threshold per early exit, or one for patience. */
export interface PagePolicy {
  readonly rule: Rule;
  readonly thresholds: readonly number[];
  readonly fallback: Fallback;
}

/** One exit of the open network. */
export interface ExitFacts {
  readonly name: string;
  readonly macs: number;
  /** Share of the full network's MACs. */
  readonly share: number;
}

/** One gate of the open network. */
export interface GateFacts {
  readonly name: string;
  readonly macs: number;
  readonly share: number;
  /** The first exit behind the gate. */
  readonly exit: number;
}

/** The open network. */
export interface NetworkFacts {
  readonly name: string;
  readonly exits: readonly ExitFacts[];
  readonly gates: readonly GateFacts[];
  readonly classes: readonly string[];
  /** Whether the file names its classes. */
  readonly named: boolean;
  readonly dims: ImageDims;
  readonly parameters: number;
  /** The policy of the file, or one that the page starts with. */
  readonly policy: PagePolicy;
  /** Whether the file has a policy of its own. */
  readonly ownPolicy: boolean;
  /** Whether the file is the bundled one, whose logits are stored. */
  readonly bundled: boolean;
  /** What dynn changed on reading: one sentence each. */
  readonly changes: readonly string[];
  /** Where an exit could be added, for a network with a single exit. */
  readonly places: readonly { readonly cut: string; readonly share: number }[];
  /** Where the engine computes. */
  readonly provider: Provider;
  /** Threads of WebAssembly. */
  readonly threads: number;
}

export type Provider = "wasm" | "webgpu";

/** Labelled images that fit the open network. */
export interface ImageSet {
  readonly name: string;
  readonly classes: readonly string[];
  readonly dims: ImageDims;
  /** float32 [n*c*h*w] in [0,1]. */
  readonly pixels: Float32Array;
  readonly labels: readonly number[];
}

/** A class with its probability. */
export interface Guess {
  readonly label: number;
  readonly p: number;
}

/** What one exit says about an image. */
export interface ExitReading {
  /** The three most likely classes. */
  readonly top: readonly Guess[];
  /** The confidence under the rule of the policy. */
  readonly confidence: number;
}

/** What the network does with an image. */
export interface Reading {
  readonly exits: readonly ExitReading[];
  /** The exit where the work stops. */
  readonly stop: number;
  /** The exit whose label is the answer. */
  readonly answer: number;
  readonly label: number;
  /** Label of the final exit. */
  readonly full: number;
  /** 1 open, 0 closed, null not reached. */
  readonly gates: readonly (0 | 1 | null)[];
  readonly macs: number;
  /** Share of the full network's MACs. */
  readonly share: number;
}

/** An image to read or to attack. */
export interface LabelledImage {
  /** Number of the record, on which random numbers depend. */
  readonly id: number;
  readonly pixels: Float32Array;
  readonly label: number;
}

/** One image on the way of an attack. */
export interface Frame {
  readonly pixels: Float32Array;
  readonly reading: Reading;
  /** Whether the image meets the goal. */
  readonly success: boolean;
  /** The same after rounding to 8 bits. */
  readonly rounded: boolean;
}

/** How an attack ended. */
export interface AttackEnd {
  readonly eligible: boolean;
  readonly frame: Frame;
  readonly queries: number;
  readonly gradients: number;
  readonly macs: number;
  /** Distances from the clean image, in pixel units. */
  readonly linf: number;
  readonly l2: number;
  readonly changed: number;
  readonly ms: number;
}

/** Accuracy and cost of all images of the set under a policy. */
export interface Survey {
  readonly count: number;
  readonly right: number;
  /** 95 % interval of the accuracy. */
  readonly interval: readonly [number, number];
  /** Mean share of the full network's cost. */
  readonly cost: number;
  /** Images that stop at each exit. */
  readonly stops: readonly number[];
  /** Images that the final exit labels rightly. */
  readonly fullRight: number;
}

/** A point of the curve of accuracy over cost: every early exit has the same threshold. */
export interface CurvePoint {
  readonly threshold: number;
  readonly accuracy: number;
  readonly cost: number;
}

/** Requests by name, with what they take and give. */
export interface Calls {
  readonly open: {
    readonly takes: {
      readonly file?: { readonly bytes: ArrayBuffer; readonly name: string };
      readonly provider: Provider;
      readonly own?: string;
      /** The network that is open, with another provider. */
      readonly again?: boolean;
    };
    readonly gives: NetworkFacts;
  };
  readonly images: { readonly takes: { readonly own?: string }; readonly gives: ImageSet };
  /** Gives the labels of the set in the classes of the open network. Null: they do not fit. */
  readonly labels: { readonly takes: { readonly labels: readonly number[] | null }; readonly gives: null };
  readonly catalogue: { readonly takes: object; readonly gives: Catalogue };
  readonly read: {
    readonly takes: { readonly pixels: Float32Array; readonly policy: PagePolicy };
    readonly gives: Reading;
  };
  readonly survey: { readonly takes: { readonly policy: PagePolicy }; readonly gives: Survey };
  readonly curve: { readonly takes: { readonly policy: PagePolicy }; readonly gives: readonly CurvePoint[] };
  readonly times: { readonly takes: { readonly pixels: Float32Array }; readonly gives: readonly number[] };
  readonly attack: {
    readonly takes: {
      readonly image: LabelledImage;
      readonly config: AttackConfig;
      readonly policy: PagePolicy;
      readonly seed: number;
    };
    readonly gives: AttackEnd;
  };
  /** Opens the sessions of an attack, so that its first step comes at once. */
  readonly prepare: {
    readonly takes: { readonly config: AttackConfig; readonly policy: PagePolicy };
    readonly gives: null;
  };
  readonly stop: { readonly takes: { readonly of: number }; readonly gives: null };
}

export type CallName = keyof Calls;

/** A call of the page. */
export interface Call<N extends CallName = CallName> {
  readonly id: number;
  readonly name: N;
  readonly takes: Calls[N]["takes"];
}

/** What the engine answers. An attack answers with frames first. */
export type Answer =
  | { readonly id: number; readonly kind: "done"; readonly gives: unknown }
  | { readonly id: number; readonly kind: "frame"; readonly frame: Frame }
  | { readonly id: number; readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly id: number; readonly kind: "failed"; readonly message: string; readonly stopped: boolean };
