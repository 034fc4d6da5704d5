import {
  createRemoteRegistry,
  credentialOf,
  ProcessBudget,
  type Registry,
  type RegistryConfig,
  registryAddress,
  type Sleep,
} from "../mirror/index.ts";
import { Semaphore } from "../platform/index.ts";
import { formatTime } from "./quantities.ts";
import { registryFetch } from "./registry-fetch.ts";
import type { Reporter } from "./reporter.ts";

/** What registries work with in this process. */
export interface RegistryPorts {
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
  readonly clock: () => number;
  readonly sleep: Sleep;
  readonly userAgent: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The registries of a configuration, and how many images each takes at once. */
export interface Registries {
  get(name: string): Registry;
  /** Waits until each of these takes one more image; resolves to what gives them back. */
  permits(registries: readonly Registry[]): Promise<() => void>;
}

/** Two entries with the same address and credential share a budget: to the registry they are the same caller. */
export function openRegistries(entries: readonly RegistryConfig[], ports: RegistryPorts): Registries {
  const budgets = new Map<string, ProcessBudget>();
  const registries = new Map<string, Registry>();
  const semaphores = new Map<string, Semaphore>();
  const [verified, unverified] = [registryFetch(ports.env, true), registryFetch(ports.env, false)];
  for (const entry of entries) {
    const url = entry.url ?? "";
    if (isUnverified(entry)) ports.reporter.message("warn", `${entry.name}: certificates are not verified`);
    const credential = credentialOf(entry);
    const caller = JSON.stringify([registryAddress(url, entry.insecure)?.href, credential]);
    const budget = budgets.get(caller) ?? budgetOf(entry, ports);
    budgets.set(caller, budget);
    semaphores.set(entry.name, new Semaphore(entry.concurrency));
    registries.set(
      entry.name,
      createRemoteRegistry({
        name: entry.name,
        url,
        ...(entry.type === "local" ? {} : { type: entry.type }),
        credential,
        insecure: entry.insecure,
        // Whoever runs this chose the addresses, and is in that network anyway.
        allowPrivate: true,
        fetch: isUnverified(entry) ? unverified : verified,
        budget,
        clock: ports.clock,
        signal: ports.signal,
        userAgent: ports.userAgent,
      }),
    );
  }
  return {
    get: (name) => {
      const registry = registries.get(name);
      if (registry === undefined) throw new Error(`no registry ${name}`);
      return registry;
    },
    permits: async (wanted) => {
      // Always in the same order, so that two that want the same registries cannot wait for each other.
      const names = [...new Set(wanted.map(({ name }) => name))].sort();
      const releases: (() => void)[] = [];
      for (const name of names) {
        const release = await semaphores.get(name)?.acquire();
        if (release !== undefined) releases.push(release);
      }
      return () => {
        for (const release of releases) release();
      };
    },
  };
}

/** With an `https:` address, `insecure` is about certificates: those of its token service and storage too. */
function isUnverified({ url = "", insecure }: RegistryConfig): boolean {
  return registryAddress(url, insecure)?.protocol === "https:" && insecure;
}

function budgetOf({ name, rateLimit }: RegistryConfig, { clock, sleep, reporter }: RegistryPorts): ProcessBudget {
  return new ProcessBudget(rateLimit, {
    clock,
    sleep,
    onPause: ({ reason, duration }) => {
      const why = reason === "asked" ? "asks for a pause" : "has little left of its quota of reads: they rest";
      reporter.message("warn", `${name} ${why}, ${formatTime(duration)}`);
    },
  });
}
