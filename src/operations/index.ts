export { Maintenance } from "./maintenance.ts";
export { contentUsageNumbers, restError, usageApi, type UsageServices } from "./usage.ts";
