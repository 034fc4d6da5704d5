import type { Route } from "./route.ts";

/** The shape of a route, and the methods that it takes. */
export interface RouteShape {
  readonly path: string;
  readonly methods: readonly string[];
}

/** Every route of the API, by its kind: a kind that is not here cannot be served. */
export const ROUTES = {
  base: { path: "/v2/", methods: ["GET", "HEAD"] },
  catalog: { path: "/v2/_catalog", methods: ["GET", "HEAD"] },
  manifest: { path: "/v2/<name>/manifests/<reference>", methods: ["GET", "HEAD", "PUT", "DELETE"] },
  blob: { path: "/v2/<name>/blobs/<digest>", methods: ["GET", "HEAD", "DELETE"] },
  uploads: { path: "/v2/<name>/blobs/uploads/", methods: ["POST"] },
  upload: { path: "/v2/<name>/blobs/uploads/<id>", methods: ["GET", "HEAD", "PATCH", "PUT", "DELETE"] },
  tags: { path: "/v2/<name>/tags/list", methods: ["GET", "HEAD"] },
  referrers: { path: "/v2/<name>/referrers/<digest>", methods: ["GET", "HEAD"] },
} as const satisfies Record<Route["kind"], RouteShape>;
