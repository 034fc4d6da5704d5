import { writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "../src/selfhost/build.ts";
import { access } from "./access.ts";
import { idle } from "./idle.ts";
import { lookups, tagPages } from "./lookups.ts";
import { memory } from "./memory.ts";
import { operationCounts } from "./operation-counts.ts";
import { renderReport } from "./report.ts";
import { resources } from "./resources.ts";
import { startBaseline, startPeers, startRegistry, stopAll } from "./service.ts";
import { syncCpu } from "./sync-cpu.ts";
import { syncCosts } from "./sync.ts";
import type { Row } from "./table.ts";
import { renderRows } from "./table.ts";
import { tlsTransfers } from "./tls.ts";
import { filesystemTransfers, r2Transfers } from "./transfers.ts";
import { uploadMemory } from "./upload-memory.ts";

/** Rounds of each measurement, and seconds of one round of those that count requests. */
const TRANSFER_ROUNDS = 7;
const TLS_ROUNDS = 5;
const R2_ROUNDS = 5;
const LOOKUP_ROUNDS = 5;
const LOOKUP_SECONDS = 1.5;
const PAGE_ROUNDS = 3;
const PAGE_SECONDS = 1;
const RESOURCE_ROUNDS = 5;
const RESOURCE_SECONDS = 1;

/** Where the results are written. */
const RESULTS = path.join(import.meta.dirname, "results.md");

/** Measures everything, prints it, and writes it down. What is slow is said, and fails nothing. */
async function main(): Promise<void> {
  await build();
  const rows: Row[] = [];
  const add = (more: readonly Row[]): void => {
    rows.push(...more);
    console.log(renderRows(more));
  };
  const baseline = await startBaseline();
  const [registry, peers] = [await startRegistry("filesystem"), await startPeers()];
  add(await idle(peers));
  const contenders = { registry, baseline, peers };
  add(await filesystemTransfers(contenders, TRANSFER_ROUNDS));
  add(await lookups(contenders, LOOKUP_ROUNDS, LOOKUP_SECONDS));
  add(await tagPages(registry, PAGE_ROUNDS, PAGE_SECONDS));
  add(await resources({ registry, baseline }, RESOURCE_ROUNDS, RESOURCE_SECONDS));
  await registry.stop();
  for (const { service } of peers) await service.stop();
  add(await tlsTransfers(TLS_ROUNDS));
  add(await access(LOOKUP_ROUNDS, LOOKUP_SECONDS));
  const onR2 = await startRegistry("r2");
  add(await r2Transfers({ registry: onR2, baseline }, R2_ROUNDS));
  await onR2.stop();
  await baseline.stop();
  add(await memory());
  add(await uploadMemory());
  const counts = await operationCounts();
  add(counts.rows);
  console.log(counts.tables);
  const sync = await syncCosts();
  add(sync.rows);
  add(await syncCpu());
  console.log(sync.table);
  const missed = rows.filter((row) => row.mark === "below target").length;
  console.log(missed === 0 ? "Every target is met." : `${missed} of ${rows.length} below target.`);
  writeFileSync(RESULTS, renderReport(rows, counts.tables, sync.table));
}

let interrupted = false;
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => {
    interrupted = true;
    void stopAll().finally(() => process.exit(code));
  });
}

try {
  await main();
} catch (error) {
  // What is being measured when everything is stopped fails, of course.
  if (!interrupted) throw error;
} finally {
  await stopAll();
}
