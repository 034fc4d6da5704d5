import type { Clock, Database } from "../../platform/index.ts";
import type { UpkeepStore } from "./upkeep-store.ts";
import { type UsageNumbers, UsageStore } from "./usage-store.ts";

/** Someone who can count something. */
export type UsageContributor = () => Promise<UsageNumbers>;

/** What counting works with. */
export interface UsagePorts {
  readonly store: UpkeepStore;
  readonly database: Database;
  readonly clock: Clock;
}

/** Usage statistics: collected by the clock from everyone who contributes, and kept until the next collection. */
export class UsageStatistics {
  readonly #ports: UsagePorts;
  readonly #kept: UsageStore;
  readonly #contributors: UsageContributor[] = [];

  constructor(ports: UsagePorts) {
    this.#ports = ports;
    this.#kept = new UsageStore(ports.database);
    this.#contributors.push(() => this.#countObjects());
  }

  contribute(contributor: UsageContributor): void {
    this.#contributors.push(contributor);
  }

  /** Asks every contributor, and keeps what they say. */
  async collect(): Promise<void> {
    const parts = await Promise.all(this.#contributors.map((contribute) => contribute()));
    await this.#kept.save({ collectedAt: this.#ports.clock(), numbers: Object.assign({}, ...parts) as UsageNumbers });
  }

  /** What was collected last; collected now if that was never. */
  async read(): Promise<{ readonly collectedAt: number; readonly numbers: UsageNumbers }> {
    const kept = await this.#kept.load();
    if (kept !== undefined) return kept;
    await this.collect();
    return (await this.#kept.load()) ?? { collectedAt: this.#ports.clock(), numbers: {} };
  }

  async #countObjects(): Promise<UsageNumbers> {
    const counts = await this.#ports.store.counts();
    return Object.fromEntries(
      counts.map(({ group, plural, total }) => [`resources.${group === "" ? "core" : group}.${plural}.count`, total]),
    );
  }
}
