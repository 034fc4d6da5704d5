import { StatusError } from "../status-error.ts";

/** How discovery is answered. @see Kubernetes, "Aggregated discovery" */
export type DiscoveryFormat = "legacy" | "v2" | "v2beta1";

/** How an object or a list is answered. `version` is that of `meta.k8s.io`. */
export type ObjectFormat =
  | { readonly as: "Object" }
  | { readonly as: "Table" | "PartialObjectMetadata"; readonly version: "v1" | "v1beta1" };

/** One of the media types that a client accepts. */
interface Accepted {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const JSON_TYPES: ReadonlySet<string> = new Set(["application/json", "application/*", "*/*"]);
const AS_PARTIAL: ReadonlySet<string> = new Set(["PartialObjectMetadata", "PartialObjectMetadataList"]);

/** Media type of the OpenAPI v2 document. @see kube-openapi, pkg/handler */
export const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** The name that kubectl asks for it by; with its at sign it is no media type (RFC 6838). */
const OPENAPI_V2_PROTOBUF_REQUEST = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/** The header's media types, the preferred first. No header accepts everything (RFC 9110 section 12.5.1). */
function parseAccept(header: string | null): Accepted[] {
  const text = header === null || header.trim() === "" ? "*/*" : header;
  return text
    .split(",")
    .map(parseAccepted)
    .filter(({ quality }) => quality > 0)
    .toSorted((left, right) => right.quality - left.quality);
}

function parseAccepted(text: string): Accepted {
  const [type = "", ...rest] = text.split(";").map((part) => part.trim());
  const parameters = new Map(
    rest.map((part): [string, string] => {
      const [name = "", value = ""] = part.split("=", 2);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, "$1")];
    }),
  );
  const quality = Number(parameters.get("q") ?? "1");
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
}

/**
 * Which discovery document a client wants. Only exactly what it names: kubectl before 1.30 knows v2beta1 alone, and
 * takes a v2 document for an empty one.
 * @throws {StatusError} NotAcceptable
 */
export function negotiateDiscovery(accept: string | null): DiscoveryFormat {
  for (const { type, parameters } of parseAccept(accept)) {
    if (!JSON_TYPES.has(type)) continue;
    const as = parameters.get("as");
    if (as === undefined) return "legacy";
    const version = parameters.get("v");
    const isDiscovery = as === "APIGroupDiscoveryList" && parameters.get("g") === "apidiscovery.k8s.io";
    if (isDiscovery && (version === "v2" || version === "v2beta1")) return version;
  }
  throw notAcceptable(["application/json"]);
}

/** The content type of a discovery document. Clients decide by its parameters what they have been given. */
export function discoveryContentType(format: DiscoveryFormat): string {
  if (format === "legacy") return "application/json";
  return `application/json;g=apidiscovery.k8s.io;v=${format};as=APIGroupDiscoveryList`;
}

/**
 * Which form of an object or a list a client wants: the first that can be served. Protobuf never is.
 * @throws {StatusError} NotAcceptable
 * @see Kubernetes API concepts, "Receiving resources as Tables"
 */
export function negotiateObject(accept: string | null): ObjectFormat {
  for (const { type, parameters } of parseAccept(accept)) {
    if (!JSON_TYPES.has(type)) continue;
    const as = parameters.get("as");
    if (as === undefined) return { as: "Object" };
    const version = parameters.get("v");
    if (parameters.get("g") !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) continue;
    if (as === "Table") return { as, version };
    if (AS_PARTIAL.has(as)) return { as: "PartialObjectMetadata", version };
  }
  throw notAcceptable(["application/json"]);
}

/**
 * Whether the OpenAPI v2 document is wanted as protobuf or as JSON. kubectl asks for protobuf, and older ones cannot
 * read anything else.
 * @throws {StatusError} NotAcceptable
 */
export function negotiateOpenApiV2(accept: string | null): "protobuf" | "json" {
  for (const { type } of parseAccept(accept)) {
    if (type === OPENAPI_V2_PROTOBUF || type === OPENAPI_V2_PROTOBUF_REQUEST) return "protobuf";
    if (JSON_TYPES.has(type)) return "json";
  }
  throw notAcceptable(["application/json", OPENAPI_V2_PROTOBUF]);
}

/**
 * Makes sure that a client can read JSON, where there is nothing else to choose.
 * @throws {StatusError} NotAcceptable
 */
export function requireJson(accept: string | null): void {
  const isReadable = parseAccept(accept).some(({ type, parameters }) => JSON_TYPES.has(type) && !parameters.has("as"));
  if (!isReadable) throw notAcceptable(["application/json"]);
}

function notAcceptable(types: readonly string[]): StatusError {
  return new StatusError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`);
}
