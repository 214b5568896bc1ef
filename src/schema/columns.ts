/** @file The columns of a table that is written as a file: their types and what they mean. */

/** The types of columns. "nullable" ones can hold null. */
export type ColumnType = "STRING" | "INT32" | "DOUBLE" | "BOOLEAN" | "nullable DOUBLE" | "nullable INT32";

/** The columns of a table, in order, with the meaning of each. */
export type Columns<Row> = { readonly [name in keyof Row]: readonly [type: ColumnType, about: string] };
