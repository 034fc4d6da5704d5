export { type Clock, systemClock } from "./clock.ts";
export { type Config, ConfigError, parseConfig, type S3Settings, settingsSchema } from "./config.ts";
export type { Database } from "./database.ts";
export { toBase64Url, toHex } from "./encoding.ts";
export type { Env } from "./env.ts";
export { uuidv7, uuidv7Time } from "./identifiers.ts";
export { consoleLog, type Log, type LogFields } from "./log.ts";
export { Lru } from "./lru.ts";
export {
  type Fetch,
  Outbound,
  OUTBOUND_LIMITS,
  type OutboundFailure,
  type OutboundPorts,
  type OutboundRequest,
} from "./outbound.ts";
export { isPrivateAddress } from "./private-address.ts";
export { err, ok, type Result } from "./result.ts";
export { Semaphore } from "./semaphore.ts";
export { InstanceStore, instanceHmacKey } from "./instance-store.ts";
