import { isPathComponent } from "../../oci/index.ts";
import { MESSAGE } from "./authorship.ts";
import { isLabelKey, isLabelValue } from "../selectors/label-selector.ts";
import { isRecord } from "../schema/values.ts";
import type { StatusCause } from "../status-error.ts";

/** Longest name of an object. @see RFC 1123 section 2.1; Kubernetes, "Object Names and IDs" */
const MAX_NAME = 253;
const MAX_NAMESPACE = 63;
/** Keys and values of all annotations together, in bytes. @see kubernetes/apimachinery, TotalAnnotationSizeLimitB */
const MAX_ANNOTATIONS = 256 * 1024;
/** Longest base of a generated name: with the random part it is a label of DNS. @see kubernetes/apiserver, storage/names */
const MAX_BASE = 58;
const RANDOM_LENGTH = 5;
/** Longest message of a change, in characters. */
const MAX_MESSAGE = 1024;
/** No vowels, nothing that looks like something else. @see kubernetes/apimachinery, util/rand */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

const SUBDOMAIN_PATTERN = String.raw`[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`;
const SUBDOMAIN = new RegExp(`^${SUBDOMAIN_PATTERN}$`);
/** These words are looked for by users of kubectl, so they are those of Kubernetes. */
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  `with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_PATTERN}')`;

/** What is wrong with the name of an object. */
export function checkName(name: string, field = "metadata.name"): StatusCause[] {
  if (name === "") return [required(field, "name or generateName is required")];
  if (name.length > MAX_NAME) return [wrong(field, name, `must be no more than ${MAX_NAME} characters`)];
  return SUBDOMAIN.test(name) ? [] : [wrong(field, name, SUBDOMAIN_MESSAGE)];
}

/**
 * What is wrong with the name of a namespace. It is the first component of repository names too, so it is what those
 * allow, and not a label of DNS.
 * @see OCI distribution-spec, spec.md, section "Pulling manifests" (`<name>`)
 */
export function checkNamespaceName(name: string, field = "metadata.name"): StatusCause[] {
  if (name === "") return [required(field, "name or generateName is required")];
  if (name.length > MAX_NAMESPACE) return [wrong(field, name, `must be no more than ${MAX_NAMESPACE} characters`)];
  const message =
    "must be a component of a repository name: lower case letters and digits, separated by '.', '_', '__' or dashes";
  return isPathComponent(name) ? [] : [wrong(field, name, message)];
}

/**
 * A name that begins with `base`.
 * @param random yields numbers from 0 to 1, without 1
 */
export function generatedName(base: string, random: () => number): string {
  let name = base.slice(0, MAX_BASE);
  for (let index = 0; index < RANDOM_LENGTH; index += 1) name += ALPHABET[Math.floor(random() * ALPHABET.length)];
  return name;
}

/** The name of an object to be created: given, or made from `generateName`; else empty, which no rule accepts. */
export function nameFor(
  metadata: { readonly name?: string; readonly generateName?: string },
  random: () => number,
): string {
  const { name = "", generateName = "" } = metadata;
  return name !== "" || generateName === "" ? name : generatedName(generateName, random);
}

/** What is wrong with labels. */
export function checkLabels(labels: unknown, field = "metadata.labels"): StatusCause[] {
  return textEntries(labels, field, (key, value) => [
    ...(isLabelKey(key)
      ? []
      : [wrong(field, key, "name part must be a label key: [prefix/]name, with a name of at most 63")]),
    ...(isLabelValue(value)
      ? []
      : [wrong(field, value, "a valid label must be at most 63 letters, digits, '-', '_' or '.'")]),
  ]);
}

/** What is wrong with annotations. Their values may be any text. */
export function checkAnnotations(annotations: unknown, field = "metadata.annotations"): StatusCause[] {
  const encoder = new TextEncoder();
  let size = 0;
  const causes = textEntries(annotations, field, (key, value) => {
    size += encoder.encode(key).byteLength + encoder.encode(value).byteLength;
    if (key === MESSAGE && value.length > MAX_MESSAGE) {
      return [
        {
          reason: "FieldValueTooLong",
          message: `Too long: may not be more than ${MAX_MESSAGE} characters`,
          field: `${field}.${key}`,
        },
      ];
    }
    // Keys of annotations may have capitals in their prefix.
    return isLabelKey(key.toLowerCase()) ? [] : [wrong(field, key, "must be an annotation key: [prefix/]name")];
  });
  if (size <= MAX_ANNOTATIONS) return causes;
  return [
    ...causes,
    { reason: "FieldValueTooLong", message: `Too long: may not be more than ${MAX_ANNOTATIONS} bytes`, field },
  ];
}

function textEntries(
  map: unknown,
  field: string,
  check: (key: string, value: string) => readonly StatusCause[],
): StatusCause[] {
  if (map === undefined || map === null) return [];
  if (!isRecord(map)) return [wrongType(field, map, "must be a map of texts")];
  return Object.entries(map).flatMap(([key, value]) =>
    typeof value === "string" ? check(key, value) : [wrongType(`${field}.${key}`, value, "must be a text")],
  );
}

/** What is wrong with an object's metadata, except its name, which has rules of its own in some kinds. */
export function checkMeta(metadata: unknown): StatusCause[] {
  if (!isRecord(metadata)) return [wrongType("metadata", metadata, "must be an object")];
  const { generateName, labels, annotations, finalizers, ownerReferences } = metadata;
  return [
    ...checkGenerateName(generateName),
    ...checkLabels(labels),
    ...checkAnnotations(annotations),
    ...checkFinalizers(finalizers),
    ...checkOwners(ownerReferences),
  ];
}

/** The base may end as no whole name may: a dash before the random part is usual. */
function checkGenerateName(base: unknown): StatusCause[] {
  const field = "metadata.generateName";
  if (base === undefined || base === null || base === "") return [];
  if (typeof base !== "string") return [wrongType(field, base, "must be a text")];
  return checkName(base.length > 1 ? base.replace(/-$/, "a") : base, field);
}

/** A prefix is good manners, but the server's own have none, and Kubernetes asks for none of other kinds than its own. */
function checkFinalizers(finalizers: unknown): StatusCause[] {
  const field = "metadata.finalizers";
  if (finalizers === undefined || finalizers === null) return [];
  if (!Array.isArray(finalizers)) return [wrongType(field, finalizers, "must be a list of texts")];
  return finalizers.flatMap((name: unknown, index) => {
    const at = `${field}[${index}]`;
    if (typeof name !== "string") return [wrongType(at, name, "must be a text")];
    return isLabelKey(name) ? [] : [wrong(at, name, "must be a qualified name, such as example.com/name")];
  });
}

function checkOwners(owners: unknown): StatusCause[] {
  const field = "metadata.ownerReferences";
  if (owners === undefined || owners === null) return [];
  if (!Array.isArray(owners)) return [wrongType(field, owners, "must be a list of objects")];
  const causes = owners.flatMap((owner: unknown, index) => checkOwner(owner, `${field}[${index}]`));
  const controllers = owners.filter((owner: unknown) => isRecord(owner) && owner["controller"] === true);
  if (controllers.length <= 1) return causes;
  return [
    ...causes,
    wrong(field, `${controllers.length} controllers`, "only one reference can have controller set to true"),
  ];
}

function checkOwner(owner: unknown, field: string): StatusCause[] {
  if (!isRecord(owner)) return [wrongType(field, owner, "must be an object")];
  const texts = ["apiVersion", "kind", "name", "uid"].flatMap((key) => {
    const value = owner[key] ?? "";
    if (value === "") return [required(`${field}.${key}`, "must not be empty")];
    return typeof value === "string" ? [] : [wrongType(`${field}.${key}`, value, "must be a text")];
  });
  const flags = ["controller", "blockOwnerDeletion"].flatMap((key) => {
    const value = owner[key] ?? false;
    return typeof value === "boolean" ? [] : [wrongType(`${field}.${key}`, value, "must be true or false")];
  });
  return [...texts, ...flags];
}

function required(field: string, message: string): StatusCause {
  return { reason: "FieldValueRequired", message: `Required value: ${message}`, field };
}

function wrong(field: string, value: string, message: string): StatusCause {
  const shown = JSON.stringify(value.length > MAX_NAME + 10 ? `${value.slice(0, MAX_NAME)}...` : value);
  return { reason: "FieldValueInvalid", message: `Invalid value: ${shown}: ${message}`, field };
}

function wrongType(field: string, value: unknown, message: string): StatusCause {
  const shown = typeof value === "object" ? "an object" : JSON.stringify(value);
  return { reason: "FieldValueTypeInvalid", message: `Invalid value: ${shown}: ${message}`, field };
}
