import type { ServedGroup, ServedResource } from "../kinds/api-model.ts";
import { qualifiedResource, StatusError } from "../status-error.ts";
import type { ApiCall } from "./call.ts";
import type { RequestInfo } from "./request-info.ts";

/** A kind, and which of its objects a request is about. */
export interface ResourceTarget {
  readonly call: ApiCall;
  readonly group: ServedGroup;
  readonly resource: ServedResource;
  readonly info: RequestInfo & { readonly kind: "resource" };
}

/** The status of a method that the kind does not have. */
export function methodNotAllowed({ resource }: ResourceTarget): StatusError {
  return new StatusError(
    "MethodNotAllowed",
    `the server does not allow this method on the requested resource: ${qualifiedResource(resource.served)}`,
  );
}
