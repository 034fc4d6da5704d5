import { bytesOf, compareWithRegsync, kindsText } from "../test/sync/comparison.ts";
import { atMost, renderTable, type Row } from "./table.ts";

/** What mirroring costs registries, beside regsync that does the same. */
export interface SyncCosts {
  readonly rows: readonly Row[];
  /** Requests by their kind. */
  readonly table: string;
}

/** Has both copy the same between registries of their own, through proxies that count. */
export async function syncCosts(): Promise<SyncCosts> {
  const results = await compareWithRegsync();
  const rows = results.map(({ scenario, side, ours, regsync }): Row => {
    const bytes = bytesOf(results, scenario);
    const met = ours.requests <= regsync.requests && bytes.ours <= bytes.regsync;
    return {
      name: `sync, ${scenario}: ${side}`,
      ours: `${ours.requests} requests, ${formatBytes(ours.bytes)}`,
      baseline: `regsync: ${regsync.requests} requests, ${formatBytes(regsync.bytes)}`,
      ratio: (regsync.requests / Math.max(1, ours.requests)).toFixed(2),
      target: `${atMost(regsync.requests).text} requests`,
      mark: met ? "pass" : "below target",
    };
  });
  const table = renderTable(
    ["scenario", "side", "ours", "regsync"],
    results.map(({ scenario, side, ours, regsync }) => [scenario, side, kindsText(ours), kindsText(regsync)]),
  );
  return { rows, table };
}

function formatBytes(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`;
}
