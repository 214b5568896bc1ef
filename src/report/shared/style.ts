/** @file The page's only style sheet: light by default, dark when the screen prefers it, always
 *  light on paper.
 *  Colours are variables, so that plots follow. Series colours are Okabe and Ito's (2008),
 *  lightened for dark. The page fetches neither fonts nor files. */
import { BELOW } from "../plots/svg.js";
import { raw } from "./html.js";

/** The colours of a light page, by the name of their variable. Drawings outside a page have them
 * too. */
export const LIGHT: Readonly<Record<string, string>> = {
  ...{ paper: "#fdfdfb", panel: "#fff", ink: "#1c2127", soft: "#565f6b", rule: "#dfe1e0", tint: "#f3f4f1" },
  ...{ accent: "#005a8e", wrong: "#a83a00", good: "#00704f", clean: "#59636f", shade: "#d55e00" },
  ...{ "series-1": "#0072b2", "series-2": "#d55e00", "series-3": "#009e73" },
  ...{ "series-4": "#b3538e", "series-5": "#a87400" },
  "plot-background": "transparent",
};

/** The colours that differ on a dark screen. */
export const DARK: Readonly<Record<string, string>> = {
  ...{ paper: "#14171b", panel: "#1b1f25", ink: "#e7e9ec", soft: "#a7b0bb", rule: "#343a43", tint: "#20252c" },
  ...{ accent: "#7cc4f2", wrong: "#ff9e66", good: "#2fcf9f", clean: "#a3adb9", shade: "#e8702a" },
  ...{ "series-1": "#56b4e9", "series-2": "#ff8f3f", "series-3": "#2fcf9f" },
  ...{ "series-4": "#e59ac6", "series-5": "#e6b84c" },
};

const variables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(" ");

export const STYLE = raw(`
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media screen and (prefers-color-scheme: dark) { :root { ${variables(DARK)} } }
@media print { :root { color-scheme: light; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
main { max-width: 69rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Iowan Old Style", "Sitka Text", Cambria, Georgia, "DejaVu Serif", serif; line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.7rem, 5vw, 2.5rem); margin: 0 0 .4rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.5rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
.warning { border-left: 4px solid #b45309; padding-left: 0.75rem; }
small, .soft, figcaption, caption, .sizes, .kicker { color: var(--soft); }
small { font-size: .82em; font-weight: 400; }
section { margin-top: 3rem; padding-top: 1.4rem; border-top: 1px solid var(--rule); }
p { max-width: 48rem; margin: 0 0 .9rem; }
a { color: var(--accent); }
b { font-weight: 650; }
.kicker { font-size: .85rem; letter-spacing: .06em; text-transform: uppercase; margin: 0 0 .5rem; }
.short { max-width: 48rem; padding-left: 1.2rem; margin: 0 0 .9rem; }
.short li { margin-bottom: .45rem; }
.short li:first-child { font-size: 1.12rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin-top: 1.2rem; font-size: .92rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .8rem; margin: 1.6rem 0 0; padding: 0; }
.card { background: var(--panel); border: 1px solid var(--rule); border-radius: .6rem; padding: .9rem 1rem; }
.card dt { font-size: .85rem; color: var(--soft); line-height: 1.35; }
.card dd { margin: 0; font-size: .85rem; color: var(--soft); line-height: 1.35; overflow-wrap: anywhere; }
.card dd.figure { font-size: 1.75rem; font-weight: 650; color: var(--ink); letter-spacing: -.02em; line-height: 1.35; font-variant-numeric: tabular-nums; }
.loud { border: 2px solid var(--wrong); border-radius: .6rem; padding: .9rem 1.1rem; color: var(--wrong); font-size: 1.06rem; }
.verdict { white-space: nowrap; }
.verdict.supported { color: var(--good); }
.verdict.refuted { color: var(--wrong); }
.verdict.nil { color: var(--accent); }
.verdict.inconclusive { color: var(--soft); }
.reason { min-width: 12rem; max-width: 20rem; white-space: normal; }
.unit { max-width: 11rem; white-space: normal; margin-left: auto; line-height: 1.35; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: .6rem 2rem; align-items: start; }
.beside .key { margin: 0 0 .7rem; color: var(--ink); }
.name { white-space: nowrap; }
#verdicts tbody th { min-width: 2rem; }
.key + .multiples, .key + .pair, .key + h3 { margin-top: 1rem; }
details { margin: .6rem 0 1.2rem; }
summary + * { margin-top: .6rem; }
summary { cursor: pointer; color: var(--accent); font-size: .92rem; max-width: 48rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .82rem; background: var(--tint); padding: 1rem; border-radius: .6rem; }
code { overflow-wrap: anywhere; }
.findings { max-width: 48rem; padding-left: 1.4rem; margin: 1rem 0 0; }
.findings li { margin-bottom: .6rem; padding-left: .2rem; }
.findings li::marker { color: var(--wrong); font-weight: 650; }
.findings li:first-child { font-size: 1.06rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.6rem 2rem; align-items: start; }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr)); gap: 1.6rem 1.5rem; margin: 1rem 0 1.8rem; }
figure { margin: 0; }
.chart { container-type: inline-size; }
.chart svg { display: block; width: 100%; height: auto; }
.plot text, .plot tspan { white-space: pre; }
.chart > .narrow { display: none; max-width: 27rem; }
${BELOW.map((step) => `@container (max-width: ${step}rem) { .below-${step} > .wide { display: none; } .below-${step} > .narrow { display: block; } }`).join("\n")}
.numbered { columns: 2; column-gap: 1.5rem; font-size: .85rem; margin: .3rem 0 .6rem; padding-left: 1.6rem; }
.numbered li { overflow-wrap: anywhere; }
figcaption, caption { font-size: .85rem; line-height: 1.45; }
.chart + figcaption, .key + figcaption { padding-top: .5rem; }
.figure-text, td .figure-text { white-space: nowrap; }
.multiples figcaption { line-height: 1.35; }
.multiples figcaption b { color: var(--ink); overflow-wrap: anywhere; }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; margin: .4rem 0 0; padding: 0; font-size: .88rem; }
.key svg { width: 1.9rem; height: .8rem; vertical-align: middle; margin-right: .4rem; overflow: visible; }
.scroll { container-type: inline-size; overflow-x: auto; margin: 1rem 0 1.6rem; }
.scroll:focus-visible, a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
.scroll > table { min-width: 100%; }
caption { text-align: left; padding-bottom: .5rem; }
caption > span { display: block; position: sticky; left: 0; max-width: min(44rem, 100cqi); }
th, td { padding: .42rem .7rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tbody th { font-weight: 600; white-space: normal; min-width: 8rem; overflow-wrap: normal; }
.scroll > table tr > :first-child { position: sticky; left: 0; background: var(--paper); }
tbody th small { display: block; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; border-bottom-color: var(--soft); white-space: normal; }
td:has(> .figure-text) { white-space: normal; }
td.shade { background: color-mix(in srgb, var(--shade) calc(var(--lost) * .3), transparent); }
th.text, td.text { text-align: left; white-space: normal; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem; margin-top: 1rem; }
.item { background: var(--panel); border: 1px solid var(--rule); border-radius: .6rem; padding: 1rem; min-width: 0; }
.images { display: flex; gap: .6rem; }
.images figure { flex: 0 1 96px; }
.images img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: 3px; background: var(--tint); }
.images figcaption { font-size: .78rem; padding-top: .2rem; }
.sizes { font-size: .85rem; margin: .5rem 0 .3rem; }
.sizes b { color: var(--ink); }
.exits { width: 100%; font-size: .8rem; line-height: 1.3; table-layout: fixed; }
.exits th, .exits td { padding: .24rem .3rem; min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; text-align: left; }
.exits col.exit { width: 15%; }
.exits col.confidence { width: 2.6rem; }
.exits th:first-child { padding-left: 0; }
.exits td:nth-child(3), .exits td:nth-child(5) { text-align: right; padding-left: 0; text-overflow: clip; }
.exits td b { font-weight: inherit; }
.exits td > span { font-size: .7em; vertical-align: .1em; }
.exits td.taken { background: var(--tint); }
.exits td.unused { color: var(--soft); }
b.wrong, .exits td b.wrong { color: var(--wrong); }
.facts { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .3rem 1.2rem; font-size: .92rem; margin: 0 0 1.4rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; max-width: 42rem; overflow-wrap: anywhere; }
footer { margin-top: 2rem; font-size: .85rem; color: var(--soft); }
@media (max-width: 30rem) {
  .name { white-space: normal; }
  main { padding: 1.6rem 1rem 3rem; }
  .cards { grid-template-columns: 1fr 1fr; }
  .card dd.figure { font-size: 1.45rem; }
  tbody th { min-width: 5.5rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .5rem; }
}
@media print {
  @page { margin: 15mm 13mm; }
  html { font-size: 10pt; }
  body { background: none; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2, h3, caption { break-after: avoid; }
  p, figure, .item, .card, .scroll.few, tr, li, .facts > * { break-inside: avoid; }
  #verdicts .scroll { break-inside: auto; }
  thead { display: table-header-group; break-inside: avoid; break-after: avoid; }
  tbody tr:nth-child(-n + 2):not(:last-child), tbody tr:nth-last-child(2) { break-after: avoid; }
  .chart svg { max-height: 7cm; }
  .multiples .plot { font-size: 13.5px !important; }
  .images figure { flex: 0 1 4.8rem; }
  .key, section > p { break-after: avoid; }
  .scroll { overflow: visible; }
  .reason { min-width: 0; }
  details.figures::details-content { content-visibility: visible; block-size: auto; }
  section { margin-top: 1.6rem; }
  th, td { padding: .25rem .4rem; white-space: normal; }
  .name { white-space: normal; }
  table { font-size: 8pt; }
  .pair, .beside { grid-template-columns: 1fr 1fr; }
  .pair .beside { grid-template-columns: 1fr; }
  .multiples { grid-template-columns: repeat(3, 1fr); }
  .gallery { grid-template-columns: 1fr 1fr; gap: .6rem; }
  .item { padding: .6rem .8rem; }
  .facts { gap: .15rem 1.2rem; font-size: .85rem; }
  summary { list-style: none; color: var(--soft); }
  .card, .item, td.shade, .exits td.taken { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`);
