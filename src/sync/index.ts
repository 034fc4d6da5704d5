export * from "./kinds/index.ts";
export * from "./store/index.ts";
export * from "./worker/index.ts";
export * from "./notify/index.ts";
export * from "./rest/index.ts";
