/** @file The document in which the plots of a report are drawn. */
import { parseHTML } from "linkedom/worker";

/** How a report is drawn. */
export interface DrawOptions {
  /** The document in which plots are drawn. A browser may give its own. Default: a document in
   * memory. */
  readonly document?: Document | undefined;
}

/** The document to draw in. */
export const drawingIn = ({ document }: DrawOptions): Document =>
  document ?? parseHTML("<!doctype html><html></html>").document;
