export type { DataSourceAdapter, Health, Source, SourceAnswer } from "./adapter.ts";
export { dataSourceGroups } from "./group.ts";
export { DATA_SOURCE_SERVICE, dataSourceGroup, type DataSourceSpec } from "./kinds.ts";
