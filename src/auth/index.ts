export { createAuth } from "./compose.ts";
export { authApi } from "./routes.ts";
export type { AuthServices } from "./services.ts";
