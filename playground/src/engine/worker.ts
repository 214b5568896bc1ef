/** @file The engine: a Web Worker that holds the network. It answers the calls of the page in
 *  turn. Attacks run beside other calls, one step at a time. */
import { catalogue, DynnError, Images, timeExits } from "dynn/web";
import modelUrl from "../../../zoo/resnet20-cifar10-joint.onnx?url";
import logitsUrl from "../../made/logits.bin?url";
import type { Answer, Call, CallName, Calls, ImageSet, Provider } from "../shared/messages.js";
import { attack, prepare } from "./attack.js";
import { bundledImages, ownImages } from "./images.js";
import { Network } from "./network.js";
import { Answers } from "./survey.js";

const BUNDLED = "resnet20-joint";
/** Runs of each measurement of time. */
const RUNS = 9;

let network: Promise<Network> | undefined;
let images: Promise<ImageSet> | undefined;
let labels: readonly number[] | null | undefined;
let answers: Promise<Answers> | undefined;
const running = new Map<number, AbortController>();

type Handlers = {
  readonly [N in CallName]: (takes: Calls[N]["takes"], id: number) => Promise<Calls[N]["gives"]>;
};

const say = (answer: Answer): void => self.postMessage(answer);

const current = (): Promise<Network> => {
  if (!network) throw new Error("bug: no network is open");
  return network;
};

const HANDLERS: Handlers = {
  open: async (takes) => {
    const opening = open(takes);
    const opened = await opening;
    const before = network;
    [network, answers, labels] = [opening, undefined, undefined];
    void before?.then((old) => old.release());
    return opened.facts;
  },
  images: ({ own }) => {
    images = own === undefined ? bundledImages() : ownImages(own);
    return images;
  },
  labels: async (takes) => {
    [labels, answers] = [takes.labels, undefined];
    return null;
  },
  catalogue: async () => catalogue(),
  read: async ({ pixels, policy }) => {
    const open = await current();
    return open.read(pixels, open.policy(policy));
  },
  survey: async ({ policy }, id) => {
    const [open, all] = [await current(), await answersOf(id)];
    return all.at(open.policy(policy));
  },
  curve: async ({ policy }, id) => (await answersOf(id)).curve(policy),
  times: async ({ pixels }) => {
    const { model, backend } = await current();
    const timing = { backend, images: Images.for(model, pixels), runs: RUNS, warmUp: 1, now: () => performance.now() };
    return (await timeExits(model, timing)).milliseconds;
  },
  attack: async ({ image, config, policy, seed }, id) => {
    const open = await current();
    const stop = new AbortController();
    running.set(id, stop);
    const onFrame = (frame: Extract<Answer, { kind: "frame" }>["frame"]): void => say({ id, kind: "frame", frame });
    try {
      const task = { network: open, image, config, policy: open.policy(policy), seed, onFrame };
      return await attack({ ...task, signal: stop.signal });
    } finally {
      running.delete(id);
    }
  },
  prepare: async ({ config, policy }) => {
    const open = await current();
    await prepare({ network: open, config, policy: open.policy(policy) });
    return null;
  },
  stop: async ({ of }) => {
    running.get(of)?.abort(new Error("stopped"));
    return null;
  },
};

/** What was opened last, so that it can be opened again. */
let last: Pick<Calls["open"]["takes"], "file" | "own"> = {};

async function open({ provider, again, ...takes }: Calls["open"]["takes"]): Promise<Network> {
  const { file, own } = again ? last : takes;
  const opened = await openFrom({ provider, ...(file ? { file } : {}), ...(own === undefined ? {} : { own }) });
  if (!again) last = takes;
  return opened;
}

async function openFrom({ file, provider, own }: Omit<Calls["open"]["takes"], "again">): Promise<Network> {
  if (file) return Network.open(new Uint8Array(file.bytes), { name: file.name, provider, bundled: false });
  return fetched(own ?? modelUrl, provider, own === undefined);
}

async function fetched(url: string, provider: Provider, bundled: boolean): Promise<Network> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}. Reload the page.`);
  const name = bundled ? BUNDLED : (new URL(url, self.location.href).pathname.split("/").at(-1) ?? url);
  return Network.open(new Uint8Array(await response.arrayBuffer()), {
    name: decodeURIComponent(name),
    provider,
    bundled,
  });
}

/** The answers for all images of the set, computed or stored. */
function answersOf(id: number): Promise<Answers> {
  answers ??= makeAnswers(id);
  answers.catch(() => {
    answers = undefined;
  });
  return answers;
}

async function makeAnswers(id: number): Promise<Answers> {
  const [open, set] = [await current(), await images];
  if (!set || !labels) throw new Error("the labels of these images are not classes of this network");
  if (open.facts.bundled && set.name === "sample")
    return Answers.stored(open, await (await fetch(logitsUrl)).arrayBuffer(), labels);
  const onProgress = (done: number, total: number): void => say({ id, kind: "progress", done, total });
  return Answers.compute(open, { ...set, labels }, onProgress);
}

async function handle<N extends CallName>({ id, name, takes }: Call<N>): Promise<void> {
  try {
    say({ id, kind: "done", gives: await HANDLERS[name](takes, id) });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const known = thrown instanceof DynnError;
    say({ id, kind: "failed", message, stopped: !known && message === "stopped" });
  }
}

self.addEventListener("message", ({ data }: MessageEvent<Call>) => void handle(data));
