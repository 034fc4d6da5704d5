export { credentialOf } from "./credential-of.ts";
export type { Variables } from "./expand.ts";
export { toSyncYaml } from "./export.ts";
export { type ParsedSyncConfig, parseSyncYaml } from "./parse.ts";
export {
  type ConfigProblem,
  formatProblem,
  type RegistryConfig,
  type SyncConfig,
  type TaskConfig,
  type TaskSpec,
} from "./sync-config.ts";
