export { SYNC_PATHS, SYNC_ROUTES } from "./routes.ts";
export type { RestRoute } from "./route.ts";
export { syncApi } from "./router.ts";
export type { SyncRestServices } from "./services.ts";
