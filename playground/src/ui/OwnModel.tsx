/** @file The reader's own network: dropped, read and attacked in the page. */
import { useRef, useState } from "preact/hooks";
import { openBundled, openFile, setProvider } from "../page/actions.js";
import type { State } from "../page/state.js";
import type { NetworkFacts } from "../shared/messages.js";
import { count, percent } from "./text.js";

export function OwnModel({ state }: { readonly state: State }) {
  const { facts, busy, provider } = state;
  return (
    <section class="card own" id="own" aria-labelledby="own-title">
      <h2 id="own-title">Your own network</h2>
      <Drop />
      <p class="hint">
        An ONNX classifier with one image input. Nothing leaves this page: the file is read and run here, and the page
        may speak to no other server.
      </p>
      {busy && (
        <p class="hint" role="status">
          {busy}…
        </p>
      )}
      {facts && <Facts facts={facts} />}
      {facts && <p class="hint">{engineOf(facts)}</p>}
      <label class="switch">
        <input
          type="checkbox"
          checked={provider === "webgpu"}
          onChange={(event) => void setProvider(event.currentTarget.checked ? "webgpu" : "wasm")}
        />
        <span>Compute with WebGPU (loads 27 MB more)</span>
      </label>
    </section>
  );
}

/** What computes. */
const engineOf = ({ provider, threads }: NetworkFacts): string =>
  provider === "webgpu"
    ? "Computed with WebGPU."
    : `Computed with WebAssembly, ${threads === 1 ? "one thread" : `${threads} threads`}.`;

function Drop() {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (file: File | undefined): void => {
    if (file) void openFile(file);
  };
  return (
    <fieldset
      class={`drop ${over ? "over" : ""}`}
      aria-label="Open an ONNX file"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <p>Drop an .onnx file here, or</p>
      <button type="button" class="plain" onClick={() => input.current?.click()}>
        Choose a file
      </button>
      <input
        ref={input}
        type="file"
        accept=".onnx"
        class="hidden"
        aria-label="An ONNX file of your own"
        tabIndex={-1}
        onChange={(event) => {
          take(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
    </fieldset>
  );
}

function Facts({ facts }: { readonly facts: NetworkFacts }) {
  const { name, exits, gates, classes, dims, parameters, ownPolicy, bundled, changes, places } = facts;
  return (
    <div class="facts">
      <p>
        Open now: <b>{name}</b>, {count(parameters)} parameters, {count(exits[exits.length - 1].macs)} MACs, images{" "}
        {dims.join("×")}, {classes.length} classes.
      </p>
      <p>
        {exits.length > 1
          ? `${exits.length} exits, at ${exits.map(({ share }) => percent(share)).join(", ")} of the cost.`
          : "One exit: it always thinks the whole way."}{" "}
        {gates.length > 0 && `${gates.length} blocks can be skipped. `}
        {exits.length > 1 && !ownPolicy && "The file has no thresholds, so the page starts with 0.8 for each."}
      </p>
      {exits.length === 1 && <Places places={places} name={name} />}
      {changes.length > 0 && (
        <ul class="changes">
          {changes.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      )}
      {!bundled && (
        <button type="button" class="plain" onClick={() => void openBundled()}>
          Back to the bundled network
        </button>
      )}
    </div>
  );
}

/** Where exits would make it dynamic. */
function Places({ places, name }: { readonly places: NetworkFacts["places"]; readonly name: string }) {
  if (places.length === 0) return <p>dynn found no place for an early exit in it.</p>;
  const shown = [0.25, 0.5, 0.75].map((share) => nearest(places, share));
  return (
    <p>
      An exit could stand at {places.length} places, for instance at{" "}
      {[...new Set(shown)].map(({ cut, share }, i) => (
        <span key={cut}>
          {i > 0 && ", "}
          <code>{cut}</code> ({percent(share)} of the cost)
        </span>
      ))}
      . Add them with <code>dynn convert {name}</code>.
    </p>
  );
}

const nearest = (places: NetworkFacts["places"], share: number): NetworkFacts["places"][number] =>
  places.reduce((best, place) => (Math.abs(place.share - share) < Math.abs(best.share - share) ? place : best));
