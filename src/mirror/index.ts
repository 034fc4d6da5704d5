export * from "./copy/index.ts";
export * from "./client/index.ts";
export * from "./ports.ts";
export * from "./registry.ts";
export * from "./rules/index.ts";
export * from "./config/index.ts";
export * from "./plan/index.ts";
export * from "./run/index.ts";
export { type RetryPolicy, type RetryPorts, retryWait } from "./with-retries.ts";
