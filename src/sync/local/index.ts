export { createLocalRegistry, type LocalRegistryPorts } from "./local-registry.ts";
