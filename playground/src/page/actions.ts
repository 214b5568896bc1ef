/** @file What the page does: opens networks, shows images, attacks them, moves thresholds. */
import type { Rule } from "dynn/web";
import type { NetworkFacts, PagePolicy, Provider, Reading } from "../shared/messages.js";
import { type Place, readPlace, writePlace } from "./address.js";
import { Engine, Stopped } from "./engine.js";
import { configOf, effortOf, FIRST_SETTINGS, GOAL_IDS, type GoalId, methodOf, RADII, type Settings } from "./goals.js";
import { labelsIn } from "./labels.js";
import { reshaped } from "./picture.js";
import { get, NO_RUNS, onChange, type Run, type Shown, set, setRun } from "./state.js";

const engine = new Engine();
/** Milliseconds until the address follows the state. */
const ADDRESS_MS = 250;

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Where `dynn play` says what it serves. Undefined on any other host. */
const ownUrl = (): string | undefined => {
  const stated = document.querySelector<HTMLMetaElement>('meta[name="dynn-own"]')?.content;
  return stated ? new URL(stated, location.href).href : undefined;
};

interface Served {
  readonly model?: string;
  readonly images?: string;
}

/** Open the page: network, images, and what the address asks for. */
export async function start(): Promise<void> {
  try {
    const own = ownUrl();
    const served = own === undefined ? {} : ((await (await fetch(own)).json()) as Served);
    const at = (path: string | undefined): { own?: string } =>
      path === undefined ? {} : { own: new URL(path, own).href };
    const [catalogue, images] = [engine.call("catalogue", {}), engine.call("images", at(served.images))];
    const facts = await engine.call("open", { provider: get().provider, ...at(served.model) });
    set({ set: await images, catalogue: await catalogue });
    await adopt(facts);
    const place = readPlace(location.hash);
    followAddress();
    await restore(place);
  } catch (error) {
    set({ stage: "failed", error: words(error) });
  }
}

/** Take a network that the engine has opened. */
async function adopt(facts: NetworkFacts): Promise<void> {
  const { set: images, shown } = get();
  const labels = images ? labelsIn(images.classes, facts) : undefined;
  const mapped = images && labels ? images.labels.map((label) => labels[label]) : null;
  const named = facts.named || !labels || !images ? facts : { ...facts, classes: images.classes };
  set({
    facts: named,
    labels: mapped,
    policy: facts.policy,
    runs: NO_RUNS,
    survey: undefined,
    curve: undefined,
    times: undefined,
    surveyError: undefined,
  });
  await engine.call("labels", { labels: mapped });
  if (facts.exits.length === 1) set({ goal: "wrong" });
  if (shown && shown.id < 0) set({ shown: undefined });
}

/** Counts the links that were opened. A later one takes the place of an earlier one. */
let visits = 0;

/** Show what a link says. */
async function restore(place: Place): Promise<void> {
  const { facts } = get();
  if (!facts) return;
  const visit = ++visits;
  const missing =
    place.model !== undefined && facts.bundled
      ? `This link is about ${place.model}. Open that file under “Your own network”.`
      : undefined;
  set({
    goal: place.goal,
    settings: place.settings,
    magnify: place.magnify ?? 10,
    story: place.story,
    stage: "ready",
    error: missing,
  });
  set({ policy: policyOf(place, facts) });
  await showPlace(place);
  set({ visits: get().visits + 1 });
  void survey();
  if (visit === visits) await runAll(place.runs);
  if (visit !== visits) return;
  if (place.runs.length === 0) void prepare();
  if (!get().times) void measure();
  const run = get().runs[place.goal];
  if (place.frame !== undefined && place.frame < run.frames.length) setRun(place.goal, { at: place.frame });
}

function policyOf({ rule, thresholds }: Place, facts: NetworkFacts): PagePolicy {
  const next = rule && rule !== facts.policy.rule ? usualPolicy(rule, facts) : facts.policy;
  return thresholds?.length === next.thresholds.length ? { ...next, thresholds } : next;
}

async function showPlace({ own, image }: Place): Promise<void> {
  const { facts } = get();
  const size = facts?.dims.reduce((a, b) => a * b, 1);
  if (own && own.length === size)
    await showOwn(
      Float32Array.from(own, (byte) => byte / 255),
      "your image",
    );
  else await showSample(image ?? FIRST_IMAGE);
}

/** The cat that the page begins with. */
const FIRST_IMAGE = 156;

/** Show an image of the set. */
export async function showSample(id: number): Promise<void> {
  const { set: images, facts, labels } = get();
  if (!images || !facts) return;
  const k = id < images.labels.length ? id : 0;
  const size = images.dims.reduce((a, b) => a * b, 1);
  const pixels = reshaped(images.pixels.slice(k * size, (k + 1) * size), images.dims, facts.dims);
  await show({ id: k, pixels, label: labels?.[k] ?? null, name: images.classes[images.labels[k]] });
}

/** Show an image of the reader's own. */
export const showOwn = (pixels: Float32Array, name: string): Promise<void> =>
  show({ id: -1, pixels, label: null, name });

async function show(shown: Shown): Promise<void> {
  stopAll();
  set({ shown, clean: undefined, runs: NO_RUNS });
  await read();
}

/** A request of which only the newest counts: while one is on its way, later ones wait as one. */
function latest(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  const loop = async (): Promise<void> => {
    do {
      again = false;
      await work();
    } while (again);
  };
  return () => {
    again = true;
    running ??= loop()
      .catch((error: unknown) => set({ error: words(error) }))
      .finally(() => {
        running = undefined;
      });
    return running;
  };
}

const read = latest(async () => {
  const { shown, policy } = get();
  if (!shown || !policy) return;
  const clean = await engine.call("read", { pixels: shown.pixels, policy });
  if (get().shown === shown) set({ clean, error: undefined });
});

const survey = latest(async () => {
  const { policy, labels, facts } = get();
  if (!policy || !facts) return;
  if (!labels) {
    set({ surveyError: "The classes of this network are not those of the images, so nobody knows its accuracy here." });
    return;
  }
  const onProgress = (done: number, total: number): void => set({ surveyed: [done, total] });
  try {
    const found = await engine.call("survey", { policy }, { onProgress });
    set({ survey: found, surveyed: undefined });
    if (!get().curve) set({ curve: await engine.call("curve", { policy }) });
  } catch (error) {
    set({ surveyError: words(error), surveyed: undefined });
  }
});

/** Measure the time up to each exit, on the shown image. */
const measure = latest(async () => {
  const { shown } = get();
  if (shown) set({ times: await engine.call("times", { pixels: shown.pixels }) });
});

/** Open the sessions of the chosen attack while the reader looks at the page. */
async function prepare(): Promise<void> {
  const { goal, settings, facts, catalogue, policy } = get();
  if (!facts || !policy) return;
  // An attack that cannot be made says so when it is run.
  await engine.call("prepare", { config: configOf(goal, settings, facts, catalogue), policy }).catch(() => null);
}

/** Move the thresholds. Attacks depend on them, so those of before go. */
export function setPolicy(policy: PagePolicy): void {
  stopAll();
  const other = policy.rule !== get().policy?.rule;
  set({ policy, runs: NO_RUNS, ...(other ? { curve: undefined } : {}) });
  void read();
  void survey();
}

/** The thresholds that a rule starts with. */
export function usualPolicy(rule: Rule, { exits, classes, policy }: NetworkFacts): PagePolicy {
  const each = {
    "max-softmax": 0.7,
    margin: 0.5,
    entropy: Number((0.3 * Math.log(classes.length)).toFixed(2)),
    patience: 2,
  }[rule];
  const count = rule === "patience" ? 1 : exits.length - 1;
  return rule === policy.rule ? policy : { ...policy, rule, thresholds: new Array<number>(count).fill(each) };
}

export function setSettings(change: Partial<Settings>): void {
  const before = get().settings;
  let settings = { ...before, ...change };
  if (change.method !== undefined && change.method !== before.method) settings = suited(settings);
  else if (change.norm !== undefined && change.norm !== before.norm)
    settings = { ...settings, radius: RADII[change.norm]?.[0] ?? settings.radius };
  set({ settings });
}

/** Settings that a newly chosen method takes. */
function suited(settings: Settings): Settings {
  const method = methodOf(get().catalogue, settings.method);
  if (!method) return settings;
  const norm = method.norms.includes(settings.norm) ? settings.norm : method.norms[0];
  const radius = norm === settings.norm ? settings.radius : (RADII[norm]?.[0] ?? settings.radius);
  const effort = effortOf(method);
  const steps = effort ? Math.min(effort.usual, 1000) : null;
  return { ...settings, norm, radius, steps: settings.method === FIRST_SETTINGS.method ? FIRST_SETTINGS.steps : steps };
}

export const setGoal = (goal: GoalId): void => set({ goal });

/** Attack the shown image, and show every step. */
export async function runGoal(goal: GoalId): Promise<void> {
  const { shown, clean, policy, facts, settings, catalogue } = get();
  if (!shown || !clean || !policy || !facts) return;
  stop(goal);
  const first = { pixels: shown.pixels, reading: clean, success: false, rounded: false };
  setRun(goal, { status: "running", frames: [first], at: 0, error: undefined, end: undefined });
  const image = { id: Math.max(shown.id, 0), pixels: shown.pixels, label: shown.label ?? clean.full };
  const config = configOf(goal, settings, facts, catalogue);
  const { id, done } = engine.start(
    "attack",
    { image, config, policy, seed: settings.seed },
    { onFrame: (frame) => add(goal, id, frame) },
  );
  setRun(goal, { call: id });
  await done.then(
    (end) => finish(goal, id, end),
    (error: unknown) => fail(goal, id, error),
  );
}

const isCurrent = (goal: GoalId, call: number): boolean => get().runs[goal].call === call;

/** Add a frame, and show it unless the reader looks at an earlier one. */
function add(goal: GoalId, call: number, frame: Run["frames"][number]): void {
  if (!isCurrent(goal, call)) return;
  const { frames, at } = get().runs[goal];
  const follows = at === frames.length - 1;
  setRun(goal, { frames: [...frames, frame], at: follows ? frames.length : at });
}

function finish(goal: GoalId, call: number, end: NonNullable<Run["end"]>): void {
  if (!isCurrent(goal, call)) return;
  const frames = [...get().runs[goal].frames, end.frame];
  setRun(goal, { status: "done", frames, at: frames.length - 1, end });
}

function fail(goal: GoalId, call: number, error: unknown): void {
  if (!isCurrent(goal, call)) return;
  if (error instanceof Stopped) setRun(goal, { status: "stopped" });
  else setRun(goal, { status: "failed", error: words(error) });
}

/** Stop an attack. What it has shown stays. */
export function stop(goal: GoalId): void {
  const { status, call } = get().runs[goal];
  if (status === "running" && call !== undefined) void engine.call("stop", { of: call });
}

export const stopAll = (): void => {
  for (const goal of GOAL_IDS) stop(goal);
};

/** Attack with several goals at once. */
export const runAll = async (goals: readonly GoalId[] = GOAL_IDS): Promise<void> => {
  await Promise.all(goals.map(runGoal));
};

/** Open a file of the reader's own. It stays in the page. */
export async function openFile(file: File): Promise<void> {
  set({ busy: `reading ${file.name}`, error: undefined });
  try {
    const bytes = await file.arrayBuffer();
    await change(
      engine.start("open", { file: { bytes, name: file.name }, provider: get().provider }, {}, [bytes]).done,
    );
  } catch (error) {
    set({ busy: undefined, error: words(error) });
  }
}

/** Go back to the bundled network. */
export async function openBundled(): Promise<void> {
  set({ busy: "opening the bundled network", error: undefined });
  try {
    await change(engine.call("open", { provider: get().provider }));
  } catch (error) {
    set({ busy: undefined, error: words(error) });
  }
}

async function change(opening: Promise<NetworkFacts>): Promise<void> {
  stopAll();
  await adopt(await opening);
  set({ busy: undefined, story: undefined });
  await showSample(get().shown?.id ?? FIRST_IMAGE);
  void survey();
  void measure();
}

interface Gpu {
  readonly gpu?: { readonly requestAdapter: () => Promise<object | null> };
}

/** Whether the browser has WebGPU, and the machine something that it runs on. */
const hasWebGpu = async (): Promise<boolean> => {
  const adapter = await (navigator as Gpu).gpu?.requestAdapter().catch(() => null);
  return adapter !== undefined && adapter !== null;
};

/** Compute on another part of the machine. The engine keeps the old one when that fails. */
export async function setProvider(provider: Provider): Promise<void> {
  if (provider === "webgpu" && !(await hasWebGpu())) {
    set({
      error:
        "WebGPU: this browser does not have it, or finds no graphics processor. The page goes on with WebAssembly. Try a browser with WebGPU, over https or on this machine.",
    });
    return;
  }
  const before = get().provider;
  set({ provider, busy: `starting ${provider === "webgpu" ? "WebGPU" : "WebAssembly"}`, error: undefined });
  try {
    await change(engine.call("open", { provider, again: true }));
  } catch (error) {
    set({ provider: before, busy: undefined, error: words(error) });
  }
}

/** The address follows the state, and the state follows the address of a link. */
function followAddress(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => history.replaceState(null, "", writePlace(get()));
  onChange(() => {
    clearTimeout(timer);
    timer = setTimeout(write, ADDRESS_MS);
  });
  addEventListener("hashchange", () => void restore(readPlace(location.hash)));
}

/** Show a story: the same as opening its link. */
export const tell = (place: string): Promise<void> => restore(readPlace(place));

/** What the shown frame says, or the clean image. */
export const readingOf = (run: Run): Reading | undefined => run.frames[run.at]?.reading ?? get().clean;
