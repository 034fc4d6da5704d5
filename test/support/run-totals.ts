import { readFileSync } from "node:fs";
import { z } from "zod";

/** The parts of vitest's JSON report that are counted. */
const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })),
});

/** What came of the tests of one run, or of several. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Counts one run. A run that failed counts as at least one failure, whatever failed: types, lint, a file that could
 * not be loaded, or an error outside every test. So does a test that was skipped, and a run without a test.
 * @param report vitest's JSON report; absent when the run did not come to its tests
 */
export function countRun(exitStatus: number, report: unknown): Totals {
  const parsed = reportSchema.safeParse(report);
  if (!parsed.success) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = parsed.data;
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((assertion) => assertion.status !== "failed"),
  );
  const failed = numFailedTests + numPendingTests + numTodoTests + brokenFiles.length;
  const unexplained = failed === 0 && (exitStatus !== 0 || numPassedTests === 0);
  return { passed: numPassedTests, failed: unexplained ? 1 : failed };
}

/** Prints the totals of runs that are given as `<exit status>:<file of the report>`, and fails if anything failed. */
function main(runs: readonly string[]): void {
  const totals = runs.map((run) => {
    const colon = run.indexOf(":");
    return countRun(Number(run.slice(0, colon)), readReport(run.slice(colon + 1)));
  });
  const sum = (pick: (total: Totals) => number) => totals.reduce((total, one) => total + pick(one), 0);
  const failed = sum((one) => one.failed);
  console.log(`${sum((one) => one.passed)} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

if (import.meta.main) main(process.argv.slice(2));
