export { dataSourceGroups } from "./compose.ts";
