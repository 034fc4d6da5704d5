export { DataKeys } from "./data-keys.ts";
export { DataKeyStore } from "./data-key-store.ts";
export { open, seal } from "./envelope.ts";
export { MasterKeys } from "./master-keys.ts";
