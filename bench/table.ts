/** What a ratio should be. */
export interface Target {
  readonly text: string;
  met(value: number): boolean;
}

export const atLeast = (limit: number): Target => ({ text: `≥ ${limit}`, met: (value) => value >= limit });
export const above = (limit: number): Target => ({ text: `> ${limit}`, met: (value) => value > limit });
export const below = (limit: number, unit: string): Target => ({
  text: `< ${limit} ${unit}`,
  met: (value) => value < limit,
});
export const atMost = (limit: number): Target => ({ text: `≤ ${limit}`, met: (value) => value <= limit });

/** One line of the results. */
export interface Row {
  readonly name: string;
  readonly ours: string;
  readonly baseline: string;
  /** More is better; 1 is as good as the baseline. */
  readonly ratio: string;
  readonly target: string;
  readonly mark: "pass" | "below target";
}

/** A duration against another one, both in seconds. */
export function timeRow(name: string, ours: number, baseline: readonly [string, number], target: Target): Row {
  return ratioRow(name, formatSeconds(ours), [baseline[0], formatSeconds(baseline[1])], baseline[1] / ours, target);
}

/** A rate against another one, both in requests per second. */
export function rateRow(name: string, ours: number, baseline: readonly [string, number], target: Target): Row {
  return ratioRow(name, formatRate(ours), [baseline[0], formatRate(baseline[1])], ours / baseline[1], target);
}

/** A value with a target of its own. */
export function valueRow(name: string, value: number, unit: string, target: Target): Row {
  const ours = `${Math.round(value)} ${unit}`.trim();
  return { name, ours, baseline: "", ratio: "", target: target.text, mark: mark(value, target) };
}

function ratioRow(name: string, ours: string, baseline: readonly [string, string], ratio: number, target: Target): Row {
  const text = `${baseline[0]}: ${baseline[1]}`;
  return { name, ours, baseline: text, ratio: ratio.toFixed(2), target: target.text, mark: mark(ratio, target) };
}

function mark(value: number, target: Target): Row["mark"] {
  return target.met(value) ? "pass" : "below target";
}

const HEADINGS: readonly (keyof Row)[] = ["name", "ours", "baseline", "ratio", "target", "mark"];

/** Rows as a table of text that is also Markdown. */
export function renderRows(rows: readonly Row[]): string {
  return renderTable(
    HEADINGS,
    rows.map((row) => HEADINGS.map((heading) => row[heading])),
  );
}

/** Cells as a Markdown table with aligned columns. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(headings), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

function formatSeconds(value: number): string {
  return value < 0.1 ? `${(value * 1000).toFixed(2)} ms` : `${value.toFixed(3)} s`;
}

function formatRate(value: number): string {
  return `${Math.round(value)}/s`;
}
