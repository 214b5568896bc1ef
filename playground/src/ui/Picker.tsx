/** @file Where images come from: the set, a file, a drawing, a camera. */
import { useMemo, useRef, useState } from "preact/hooks";
import { showOwn, showSample } from "../page/actions.js";
import { pictureOf, pixelsOf } from "../page/picture.js";
import { type State, set } from "../page/state.js";
import type { ImageSet } from "../shared/messages.js";
import { Camera } from "./Camera.js";
import { Drawing } from "./Drawing.js";
import { Picture } from "./Picture.js";

/** Images that the strip shows at a time. */
const STRIP = 20;

type Source = "set" | "draw" | "camera";

export function Picker({ state }: { readonly state: State }) {
  const [source, choose] = useState<Source>("set");
  const drawn = state.story === "draw" ? "draw" : source;
  const pick = (next: Source): void => {
    set({ story: undefined });
    choose(next);
  };
  return (
    <section class="card picker" id="draw" aria-labelledby="picker-title">
      <div class="card-head">
        <h2 id="picker-title">Choose an image</h2>
        <div class="tabs">
          <Tab name="Samples" chosen={drawn === "set"} onClick={() => pick("set")} />
          <Tab name="Draw" chosen={drawn === "draw"} onClick={() => pick("draw")} />
          {"mediaDevices" in navigator && (
            <Tab name="Camera" chosen={drawn === "camera"} onClick={() => pick("camera")} />
          )}
          <OwnFile state={state} />
        </div>
      </div>
      {drawn === "set" && <Strip state={state} />}
      {drawn === "draw" && <Drawing state={state} />}
      {drawn === "camera" && <Camera state={state} />}
    </section>
  );
}

function Tab({
  name,
  chosen,
  onClick,
}: {
  readonly name: string;
  readonly chosen: boolean;
  readonly onClick: () => void;
}) {
  return (
    <button type="button" class={`tab ${chosen ? "chosen" : ""}`} aria-pressed={chosen} onClick={onClick}>
      {name}
    </button>
  );
}

function Strip({ state }: { readonly state: State }) {
  const [kind, setKind] = useState<number | null>(null);
  const { set: images, shown } = state;
  const [from, setFrom] = useState(() => STRIP * Math.floor(Math.max(0, shown?.id ?? 0) / STRIP));
  const ids = useMemo(() => idsOf(images, kind), [images, kind]);
  const page = useMemo(
    () => ids.slice(from, from + STRIP).map((id) => ({ id, pixels: rowOf(images, id) })),
    [images, ids, from],
  );
  if (!images) return null;
  const move = (by: number): void => setFrom(Math.max(0, Math.min(ids.length - 1, from + by)));
  return (
    <>
      <div class="strip">
        {page.map(({ id, pixels }) => {
          const name = `${images.classes[images.labels[id]]}, image ${id}`;
          return (
            <button
              key={id}
              type="button"
              class={`thumb ${shown?.id === id ? "chosen" : ""}`}
              title={name}
              aria-label={name}
              aria-pressed={shown?.id === id}
              onClick={() => pickSample(id)}
            >
              <Picture pixels={pixels} dims={images.dims} label="" />
            </button>
          );
        })}
      </div>
      <div class="strip-controls">
        <label>
          Class{" "}
          <select
            onChange={(event) => {
              setKind(event.currentTarget.value === "" ? null : Number(event.currentTarget.value));
              setFrom(0);
            }}
          >
            <option value="">all</option>
            {images.classes.map((name, k) => (
              <option key={name} value={k}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="plain" disabled={from === 0} onClick={() => move(-STRIP)}>
          Back
        </button>
        <button type="button" class="plain" disabled={from + STRIP >= ids.length} onClick={() => move(STRIP)}>
          More
        </button>
        <button type="button" class="plain" onClick={() => pickSample(ids[Math.floor(Math.random() * ids.length)])}>
          Any
        </button>
      </div>
    </>
  );
}

/** Numbers of the images of one class, or of all. */
const idsOf = (images: ImageSet | undefined, kind: number | null): number[] =>
  (images?.labels ?? []).flatMap((label, i) => (kind === null || kind === label ? [i] : []));

function rowOf(images: ImageSet | undefined, id: number): Float32Array | undefined {
  const size = images?.dims.reduce((a, b) => a * b, 1) ?? 0;
  return images?.pixels.subarray(id * size, (id + 1) * size);
}

function pickSample(id: number): void {
  set({ story: undefined });
  void showSample(id);
}

function OwnFile({ state }: { readonly state: State }) {
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined): Promise<void> => {
    if (!file || !state.facts) return;
    try {
      const picture = await pictureOf(file);
      const size = { width: picture.naturalWidth, height: picture.naturalHeight };
      await showOwn(pixelsOf(picture, size, state.facts.dims), file.name);
    } catch {
      set({ error: `${file.name}: this browser cannot read it as a picture. Choose a PNG, JPEG or WebP file.` });
    }
  };
  return (
    <>
      <button type="button" class="tab" onClick={() => input.current?.click()}>
        File…
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        class="hidden"
        aria-label="A picture of your own"
        tabIndex={-1}
        onChange={(event) => void take(event.currentTarget.files?.[0])}
      />
    </>
  );
}
