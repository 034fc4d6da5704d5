export { databaseSize } from "./database-size-store.ts";
export { type AccessRemains, Maintenance, type MaintenancePorts, type SyncMaintenance } from "./maintenance.ts";
export { deliver, type DeliveryPorts, type MessageConsumer } from "./message-consumers.ts";
export { contentUsageNumbers, databaseUsageNumbers, usageApi, type UsageServices } from "./usage.ts";
