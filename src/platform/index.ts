export { clientAddress, parseAddress } from "./client-address.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type Config, ConfigError, parseConfig, type S3Settings, settingsSchema } from "./config.ts";
export { type Database, nearest, observed, openDatabase, type Queries, repeatable } from "./database.ts";
export { toBase64Url, toHex } from "./encoding.ts";
export type { Env } from "./env.ts";
export { uuidv7, uuidv7Time } from "./identifiers.ts";
export { type Lease, Leases } from "./leases.ts";
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
export { isLoopbackAddress, isPrivateAddress } from "./private-address.ts";
export { type AddressRefusal, addressRefusal } from "./outbound-rule.ts";
export { err, ok, type Result } from "./result.ts";
export { InexactInteger, isPoisonous, MAX_NESTING, type Place, SyntaxFault } from "./syntax-fault.ts";
export { parseYamlDocuments, readingYaml, type YamlDocument, type YamlOptions, type YamlPath } from "./yaml.ts";
export { Semaphore } from "./semaphore.ts";
export { InstanceStore, instanceHmacKey } from "./instance-store.ts";
export { type KeyWrapper, wrappedKeySchema } from "./key-wrapper.ts";
export { isObjectReset, Retries, Unavailable } from "./retries.ts";
export { inTurns, Turns } from "./turns.ts";
