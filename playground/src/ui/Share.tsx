/** @file What the reader takes along: link, command, attack file, pictures. */
import { useState } from "preact/hooks";
import { writePlace } from "../page/address.js";
import { attackFile, command } from "../page/copy.js";
import { enlarged, savePng } from "../page/picture.js";
import { frameOf, get, type State, set } from "../page/state.js";

export function Share({ state }: { readonly state: State }) {
  const [said, say] = useState("");
  const { facts, shown, goal } = state;
  if (!facts || !shown) return null;
  const single = facts.exits.length === 1 ? "wrong" : goal;
  const copy = (text: string, what: string): void => {
    navigator.clipboard.writeText(text).then(
      () => say(`${what} copied.`),
      () => say("This browser does not let the page copy. Select the text below."),
    );
  };
  const link = (): string => new URL(writePlace(get()), location.href).href;
  const save = (make: (now: State, pixels: Float32Array) => Float32Array, name: string): void => {
    const now = get();
    const pixels = frameOf(now.runs[goal])?.pixels ?? shown.pixels;
    savePng(make(now, pixels), facts.dims, name).catch((error: unknown) => set({ error: String(error) }));
  };
  return (
    <section class="card share" aria-labelledby="share-title">
      <h2 id="share-title">Take it with you</h2>
      <div class="buttons">
        <button type="button" class="plain" onClick={() => copy(link(), "Link")}>
          Copy link
        </button>
        <button type="button" class="plain" onClick={() => copy(command(state, single), "Command")}>
          Copy as dynn command
        </button>
        <button type="button" class="plain" onClick={() => copy(attackFile(state, single), "Attack file")}>
          Copy as attack file
        </button>
        <button type="button" class="plain" onClick={() => save((_, pixels) => pixels, `${goal}.png`)}>
          Save the image
        </button>
        <button
          type="button"
          class="plain"
          onClick={() => save(({ magnify }, pixels) => enlarged(pixels, shown.pixels, magnify), `${goal}-change.png`)}
        >
          Save the change
        </button>
      </div>
      <p class="hint" role="status">
        {said}
      </p>
      <details>
        <summary>The command</summary>
        <pre>{command(state, single)}</pre>
      </details>
    </section>
  );
}
