export { createLocalRegistry, LOCAL_ORIGIN, type LocalRegistryPorts } from "./local-registry.ts";
