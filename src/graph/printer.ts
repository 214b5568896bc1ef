/** @file A graph as short text, one line per node. Equal graphs give equal text, so the text
 *  serves in snapshots and messages. `%` marks computed values, `@` initializers (dtype and
 *  shape, without data), `_` an input or output left out. */
import { type Shape, showShape } from "../core/shape.js";
import type { Attribute } from "./attributes.js";
import type { Graph, Node, ValueInfo, ValueName } from "./graph.js";

/** Longer lists are cut to this many items. */
const LIST_LIMIT = 16;

/** The text of a graph: a heading, then inputs, initializers, nodes, outputs. */
export const printGraph = (graph: Graph): string => `${linesOf(graph, new Set()).join("\n")}\n`;

function linesOf(graph: Graph, outerConstants: ReadonlySet<ValueName>): string[] {
  const constants = new Set([...outerConstants, ...graph.initializers.keys()]);
  const sigil = (name: ValueName) => (name === "" ? "_" : `${constants.has(name) ? "@" : "%"}${showName(name)}`);
  const info = (value: ValueInfo) => `${sigil(value.name)}: ${value.dtype}${showShape(value.shape)}`;
  return [
    `graph ${showName(graph.name)} (opset ${graph.opset})`,
    ...section("inputs", graph.inputs.map(info)),
    ...section(
      "initializers",
      [...graph.initializers].map(([name, t]) => `@${showName(name)}: ${t.dtype}${showShape(t.dims)}`),
    ),
    ...section(
      "nodes",
      graph.nodes.flatMap((node) => nodeLines(graph, node, sigil, constants)),
    ),
    ...section("outputs", graph.outputs.map(info)),
  ];
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length > 0 ? [`  ${title}:`, ...lines.map((line) => `    ${line}`)] : [];

function nodeLines(
  graph: Graph,
  node: Node,
  sigil: (name: ValueName) => string,
  constants: ReadonlySet<ValueName>,
): string[] {
  const attributes = Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = attributes.map(([name, a]) => `${name}=${showAttribute(a)}`).join(", ");
  const outputs = node.outputs.map((name) => `${sigil(name)}${typeOf(graph, name)}`).join(", ");
  const operator = node.domain ? `${node.domain}::${node.opType}` : node.opType;
  const inner = attributes.flatMap(([name, a]) =>
    a.kind === "graph" ? [`  ${name} =`, ...linesOf(a.value, constants).map((line) => `    ${line}`)] : [],
  );
  return [`${outputs} = ${operator}(${node.inputs.map(sigil).join(", ")})${shown ? ` {${shown}}` : ""}`, ...inner];
}

function typeOf(graph: Graph, name: ValueName): string {
  const type: { readonly dtype: string; readonly shape: Shape | undefined } | undefined =
    graph.types.get(name) ?? graph.outputs.find((output) => output.name === name);
  return type ? `: ${type.dtype}${showShape(type.shape)}` : "";
}

const showName = (name: string): string => (/^[\w./:-]+$/.test(name) ? name : JSON.stringify(name));

function showAttribute(attribute: Attribute): string {
  switch (attribute.kind) {
    case "int":
      return String(attribute.value);
    case "float":
      return showFloat(attribute.value);
    case "string":
      return JSON.stringify(attribute.value);
    case "ints":
      return showList(attribute.value, String);
    case "floats":
      return showList(attribute.value, showFloat);
    case "strings":
      return showList(attribute.value, (s) => JSON.stringify(s));
    case "tensor":
      return `tensor ${attribute.value.dtype}${showShape(attribute.value.dims)}`;
    case "graph":
      return `graph ${showName(attribute.value.name)}`;
  }
}

const showList = <T>(items: readonly T[], show: (item: T) => string): string => {
  const cut = items.length > LIST_LIMIT ? `,... ${items.length} in all` : "";
  return `[${items.slice(0, LIST_LIMIT).map(show).join(",")}${cut}]`;
};

/** The shortest decimal that gives the same float32. It always shows that the number is not an
 * integer. */
function showFloat(value: number): string {
  const short = Array.from({ length: 9 }, (_, i) => Number(value.toPrecision(i + 1))).find(
    (candidate) => Math.fround(candidate) === value,
  );
  const text = String(short ?? value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
