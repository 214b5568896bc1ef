/** @file Pixels as a picture, enlarged without smoothing. */
import type { ImageDims } from "dynn/web";
import { useEffect, useRef } from "preact/hooks";
import { paint } from "../page/picture.js";

interface Props {
  readonly pixels: Float32Array | undefined;
  readonly dims: ImageDims;
  /** What the picture shows, for people who do not see it. Empty: the element around it says so. */
  readonly label: string;
  readonly class?: string;
}

export function Picture({ pixels, dims, label, class: name = "" }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current && pixels) paint(canvas.current, pixels, dims);
  }, [pixels, dims]);
  return <canvas ref={canvas} class={`picture ${name}`} {...named(label)} width={dims[2]} height={dims[1]} />;
}

const named = (label: string) =>
  label === "" ? { "aria-hidden": true } : { role: "img" as const, "aria-label": label };
