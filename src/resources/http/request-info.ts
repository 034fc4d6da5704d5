/** What a path of the API names. @see Kubernetes, apiserver RequestInfo */
export type RequestInfo =
  /** A kind, or an object of it, or something below an object. */
  | {
      readonly kind: "resource";
      readonly group: string;
      readonly version: string;
      readonly namespace: string | undefined;
      readonly resource: string;
      /** Empty for the collection. */
      readonly name: string;
      /** Empty for the object itself. */
      readonly subresource: string;
      /** What follows the subresource, without a leading slash. */
      readonly rest: string;
    }
  | { readonly kind: "versions"; readonly root: "api" | "apis" }
  | { readonly kind: "group"; readonly group: string }
  | { readonly kind: "group-version"; readonly group: string; readonly version: string }
  | { readonly kind: "other"; readonly path: string };

/** Parses a path such as `/apis/<group>/<version>/namespaces/<namespace>/<plural>/<name>/<subresource>`. */
export function parseRequestInfo(pathname: string): RequestInfo {
  const segments = pathname.split("/").slice(1).map(decode);
  if (segments.at(-1) === "") segments.pop();
  const [root] = segments;
  if (root === "api") {
    if (segments.length === 1) return { kind: "versions", root };
    const [, version = "", ...below] = segments;
    return below.length === 0 ? { kind: "group-version", group: "", version } : resource("", version, below);
  }
  if (root === "apis") {
    const [, group, version, ...below] = segments;
    if (group === undefined) return { kind: "versions", root };
    if (version === undefined) return { kind: "group", group };
    return below.length === 0 ? { kind: "group-version", group, version } : resource(group, version, below);
  }
  return { kind: "other", path: `/${segments.join("/")}` };
}

function resource(group: string, version: string, segments: readonly string[]): RequestInfo {
  const [first, second, third] = segments;
  // `/namespaces/<name>` is an object of the core group; with anything but its own subresources below, it is a place.
  const isPlace =
    first === "namespaces" &&
    second !== undefined &&
    third !== undefined &&
    !(group === "" && NAMESPACE_SUBRESOURCES.has(third));
  const namespace = isPlace ? second : undefined;
  const [plural = "", name = "", subresource = "", ...rest] = isPlace ? segments.slice(2) : segments;
  return { kind: "resource", group, version, namespace, resource: plural, name, subresource, rest: rest.join("/") };
}

const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
