/** @file A place to draw. The network reads every stroke. */
import { useEffect, useRef, useState } from "preact/hooks";
import { showOwn } from "../page/actions.js";
import { pixelsOf } from "../page/picture.js";
import type { State } from "../page/state.js";

const SIZE = 224;
const COLOURS = ["#17181c", "#c2304a", "#2463c9", "#1e8a4c", "#e2a93b", "#8a5a36", "#9fd0ef", "#ffffff"];

interface Point {
  readonly x: number;
  readonly y: number;
}

export function Drawing({ state }: { readonly state: State }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Point | undefined>(undefined);
  const [colour, setColour] = useState(COLOURS[0]);
  const [width, setWidth] = useState(18);
  useEffect(() => clear(canvas.current), []);
  const read = (): void => {
    if (canvas.current && state.facts)
      void showOwn(pixelsOf(canvas.current, canvas.current, state.facts.dims), "your drawing");
  };
  const draw = (event: PointerEvent): void => {
    if (!last.current || !canvas.current) return;
    const to = pointOf(event, canvas.current);
    line(canvas.current, { from: last.current, to, colour, width });
    last.current = to;
    read();
  };
  return (
    <div class="drawing">
      <canvas
        ref={canvas}
        width={SIZE}
        height={SIZE}
        role="img"
        aria-label="Drawing area, for a mouse, a pen or a finger"
        onPointerDown={(event) => {
          if (!canvas.current) return;
          canvas.current.setPointerCapture(event.pointerId);
          last.current = pointOf(event, canvas.current);
          draw(event);
        }}
        onPointerMove={draw}
        onPointerUp={() => {
          last.current = undefined;
        }}
      />
      <div class="pens">
        {COLOURS.map((one) => (
          <button
            key={one}
            type="button"
            class={`pen ${one === colour ? "chosen" : ""}`}
            style={{ background: one }}
            aria-label={`Colour ${one}`}
            aria-pressed={one === colour}
            onClick={() => setColour(one)}
          />
        ))}
        <label>
          Width{" "}
          <input
            type="range"
            min={6}
            max={60}
            value={width}
            onInput={(event) => setWidth(Number(event.currentTarget.value))}
          />
        </label>
        <button
          type="button"
          class="plain"
          onClick={() => {
            clear(canvas.current);
            read();
          }}
        >
          Clear
        </button>
      </div>
      <p class="hint">
        The network knows airplanes, cars, birds, cats, deer, dogs, frogs, horses, ships and trucks. Try a blue sky with
        something grey in it.
      </p>
    </div>
  );
}

function clear(canvas: HTMLCanvasElement | null): void {
  const context = canvas?.getContext("2d");
  if (!context) return;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, SIZE, SIZE);
}

function pointOf({ clientX, clientY }: PointerEvent, canvas: HTMLCanvasElement): Point {
  const box = canvas.getBoundingClientRect();
  return { x: ((clientX - box.left) * SIZE) / box.width, y: ((clientY - box.top) * SIZE) / box.height };
}

function line(
  canvas: HTMLCanvasElement,
  stroke: { readonly from: Point; readonly to: Point; readonly colour: string; readonly width: number },
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  context.lineCap = "round";
  context.strokeStyle = stroke.colour;
  context.lineWidth = stroke.width;
  context.beginPath();
  context.moveTo(stroke.from.x, stroke.from.y);
  context.lineTo(stroke.to.x, stroke.to.y + 0.01);
  context.stroke();
}
