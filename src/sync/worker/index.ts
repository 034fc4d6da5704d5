export { type RegistryBudgetPorts, registryBudgetClass } from "./registry-budget.ts";
export { type ExecutionHubPorts, executionHubClass } from "./execution-hub.ts";
export { executionHub, type LiveChannel, type RunHub } from "./hub-client.ts";
export { type RunEvent } from "./hub-events.ts";
export {
  createRegistries,
  type Registries,
  type RegistriesPorts,
  registryAccess,
  type RegistryUse,
} from "./registry-access.ts";
export { SyncRunner } from "./runner.ts";
export { tick } from "./schedule.ts";
export { forgetOld, resumeSilent } from "./sweep.ts";
export type { SyncPorts } from "./sync-ports.ts";
export { taskControl, type TaskControlPorts } from "./task-control.ts";
