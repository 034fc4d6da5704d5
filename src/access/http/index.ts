export { createCsrf, type Csrf, CSRF_HEADER, type CsrfPorts } from "./csrf.ts";
export { ownOrigin, publicScheme, sameOrigin } from "./own-origin.ts";
export { ACCESS_ROUTES, accessApi, type AccessRoute } from "./routes.ts";
export type { AccessServices } from "./services.ts";
