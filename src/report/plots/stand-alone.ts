/** @file A plot as an SVG document of its own. Programs that set type know no CSS variables, so
 *  colours become literal, and the key is drawn below the plot. */
import { type Html, html, raw } from "../shared/html.js";
import { LIGHT } from "../shared/style.js";
import { type KeyEntry, keySign } from "./key.js";
import type { Chart } from "./svg.js";

const [ROW, EDGE] = [18, 10];
const FONT = "system-ui, Arial, 'DejaVu Sans', sans-serif";

/** The document as text: white paper, the plot, one line of the key below the other.
 * @param chart its wide drawing is taken */
export function standAlone({ wide }: Chart, key: readonly KeyEntry[]): string {
  const { width, height, label } = sizeOf(wide.text);
  const whole = height + (key.length === 0 ? 0 : ROW * key.length + EDGE);
  const entries = key.map(
    (entry, i) =>
      html`<g transform="translate(${EDGE},${height + EDGE / 2 + ROW * i})">${keySign(entry)}<text x="38" y="10">${entry.name}</text></g>`,
  );
  const text =
    html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${whole}" viewBox="0 0 ${width} ${whole}" font-family="${FONT}" font-size="12" fill="${LIGHT.ink}" color="${LIGHT.ink}"><title>${label}</title><rect width="100%" height="100%" fill="#fff"/>${wide}${entries}</svg>\n`
      .text;
  return literal(text);
}

/** The values of the plot's own attributes, still escaped. */
function sizeOf(text: string): { readonly width: number; readonly height: number; readonly label: Html } {
  const opening = text.slice(0, text.indexOf(">") + 1);
  const attribute = (name: string): string => new RegExp(` ${name}="([^"]*)"`).exec(opening)?.[1] ?? "";
  return {
    width: Number(attribute("width")),
    height: Number(attribute("height")),
    label: raw(attribute("aria-label")),
  };
}

/** Text with the light colour in place of each variable. */
const literal = (text: string): string =>
  text.replaceAll(/var\(--([\w-]+)\)/g, (whole, name: string) => LIGHT[name] ?? whole);
