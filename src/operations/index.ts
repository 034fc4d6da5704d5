export { Maintenance } from "./maintenance.ts";
