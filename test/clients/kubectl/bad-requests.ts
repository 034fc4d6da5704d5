import { task, tasksPath } from "./tasks.ts";

/** A request that must be refused, and how. */
export interface BadRequest {
  readonly what: string;
  /** POST, unless given. */
  readonly method?: string;
  /** Of the tasks, unless given; one that begins with a question mark is put after theirs. */
  readonly path?: string;
  readonly type?: string;
  /** Sent as it is if it is a text, else as JSON. */
  readonly body?: unknown;
  readonly code: number;
  readonly reason: string;
  /** Part of the message. */
  readonly says: string;
  /** Of the answer. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Reason and field of each cause. */
  readonly causes?: readonly (readonly [reason: string, field: string])[];
}

const GROUP = "work.example.org";
const invalid = (what: string, body: unknown, causes: BadRequest["causes"] & object, name = "bad"): BadRequest => ({
  what,
  body,
  code: 422,
  reason: "Invalid",
  says: "is invalid: ",
  details: { name, group: GROUP, kind: "Task" },
  causes,
});
const refused = (what: string, says: string, rest: Partial<BadRequest>): BadRequest => ({
  what,
  says,
  code: 400,
  reason: "BadRequest",
  ...rest,
});
const unknownPath = (what: string, path: string): BadRequest => ({
  what,
  path,
  method: "GET",
  code: 404,
  reason: "NotFound",
  says: "the server could not find the requested resource",
});
const named = (name: string) => ({ name, group: GROUP, kind: "tasks" });
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const withSpec = (text: string): string => `{"metadata":{"name":"bad"},"spec":{"source":"x",${text}}}`;

/** What is wrong with an object. The object `there` is there already. */
export const BAD_OBJECTS: readonly BadRequest[] = [
  refused("another kind", 'Job in version "v1" cannot be handled as a Task', { body: { ...task("bad"), kind: "Job" } }),
  refused("another version", "does not match the expected API version", { body: { ...task("bad"), apiVersion: "v2" } }),
  refused("another namespace", "does not match the namespace", {
    body: task("bad", { metadata: { namespace: "elsewhere" } }),
  }),
  refused("metadata that is no object", "metadata", { body: { ...task("bad"), metadata: 7 } }),
  refused("a list", "the body is not an object", { body: [] }),
  refused("a field unheard of, when strict", 'strict decoding error: unknown field "spec.more"', {
    path: "?fieldValidation=Strict",
    body: task("bad", { spec: { more: 1 } }),
  }),
  refused("a field given twice, when strict", 'duplicate field "spec.source"', {
    path: "?fieldValidation=Strict",
    body: withSpec('"source":"y"'),
  }),
  refused("a field validation that is none", "fieldValidation", { path: "?fieldValidation=Some", body: task("bad") }),
  refused("a dry run that is none", "dryRun", { path: "?dryRun=Some", body: task("bad") }),
  invalid("a value of another type", task("bad", { spec: { parallel: "two" } }), [
    ["FieldValueTypeInvalid", "spec.parallel"],
  ]),
  invalid(
    "a value out of bounds, and an item without its key",
    task("bad", { spec: { parallel: 17, steps: [{ run: "x" }] } }),
    [
      ["FieldValueInvalid", "spec.parallel"],
      ["FieldValueRequired", "spec.steps[0].name"],
    ],
  ),
  invalid("nothing where something must be", { ...task("bad"), spec: {} }, [["FieldValueRequired", "spec.source"]]),
  invalid("a name with a capital", task("Bad"), [["FieldValueInvalid", "metadata.name"]], "Bad"),
  invalid("a name that is a path", task("../bad"), [["FieldValueInvalid", "metadata.name"]], "../bad"),
  invalid("a name of 254 characters", task("n".repeat(254)), [["FieldValueInvalid", "metadata.name"]], "n".repeat(254)),
  invalid("no name", { ...task(""), metadata: {} }, [["FieldValueRequired", "metadata.name"]], ""),
  invalid("a label that is none", task("bad", { metadata: { labels: { "a b": "c" } } }), [
    ["FieldValueInvalid", "metadata.labels"],
  ]),
  refused("broken JSON", "line 1, column 13", { body: '{"metadata":}' }),
  refused("broken YAML", "line 3, column 1", { type: "application/yaml", body: "metadata:\n  name: bad\n spec: }" }),
  refused("a key twice in YAML", "line 2, column 1", { type: "application/yaml", body: "kind: Task\nkind: Task" }),
  refused("bytes that are no text", "UTF-8", { body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]) }),
  refused("200 levels of objects", "deep", { body: withSpec(`"more":${nested(200)}`) }),
  refused("100,000 levels of lists", "deep", { body: withSpec(`"more":${"[".repeat(100_000)}${"]".repeat(100_000)}`) }),
  ...["__proto__", "constructor", "prototype"].map((key) =>
    refused(`the key ${key}`, `the key "${key}" is not allowed`, { body: withSpec(`"${key}":{"polluted":true}`) }),
  ),
  refused("the key __proto__ in YAML", '"__proto__" is not allowed', {
    type: "application/yaml",
    body: "metadata: {name: bad}\nspec:\n  source: x\n  __proto__: {polluted: true}",
  }),
  {
    what: "more than 1 MiB",
    body: task("bad", { source: "x".repeat(1024 * 1024) }),
    code: 413,
    reason: "RequestEntityTooLarge",
    says: "too large",
  },
  {
    what: "more than 3 MiB of space",
    body: " ".repeat(3 * 1024 * 1024 + 1),
    code: 413,
    reason: "RequestEntityTooLarge",
    says: "too large",
  },
  {
    what: "a type that nobody reads",
    type: "text/csv",
    body: "a,b",
    code: 415,
    reason: "UnsupportedMediaType",
    says: "application/json",
  },
  {
    what: "what is there already",
    body: task("there"),
    code: 409,
    reason: "AlreadyExists",
    says: 'tasks.work.example.org "there" already exists',
    details: named("there"),
  },
];

/** What is wrong with a change, a question or a path. */
export const BAD_REQUESTS: readonly BadRequest[] = [
  ...["a in", "a=b=c", "-a=b", "a in (b", `a=${"b".repeat(64)}`].map((selector) =>
    refused(`the label selector '${selector.slice(0, 10)}'`, "unable to parse", {
      method: "GET",
      path: `?labelSelector=${encodeURIComponent(selector)}`,
    }),
  ),
  refused("a selector of a field that cannot be selected by", "field label not supported: spec.parallel", {
    method: "GET",
    path: "?fieldSelector=spec.parallel%3D1",
  }),
  refused("a limit that is no number", "limit", { method: "GET", path: "?limit=many" }),
  refused("a continue token that is none", "continue", { method: "GET", path: "?continue=here" }),
  refused("a version that is none", "resourceVersion", { method: "GET", path: "?resourceVersion=new" }),
  {
    what: "a stale version",
    method: "PUT",
    path: "/there",
    body: task("there", { source: "new", metadata: { resourceVersion: "1" } }),
    code: 409,
    reason: "Conflict",
    says: "the object has been modified; please apply your changes to the latest version and try again",
    details: named("there"),
  },
  refused("another name than the path's", "does not match the name on the URL", {
    method: "PUT",
    path: "/there",
    body: task("here"),
  }),
  {
    what: "a patch of an unknown type",
    method: "PATCH",
    path: "/there",
    type: "application/json",
    body: {},
    code: 415,
    reason: "UnsupportedMediaType",
    says: "application/merge-patch+json",
  },
  refused("a JSON patch that is none", "list of operations", {
    method: "PATCH",
    path: "/there",
    type: "application/json-patch+json",
    body: {},
  }),
  refused("a patch with the key __proto__", '"__proto__" is not allowed', {
    method: "PATCH",
    path: "/there",
    type: "application/merge-patch+json",
    body: '{"__proto__":{"polluted":true}}',
  }),
  refused("a JSON patch of the prototype", "__proto__", {
    method: "PATCH",
    path: "/there",
    type: "application/json-patch+json",
    body: [{ op: "add", path: "/__proto__/polluted", value: true }],
  }),
  refused("a JSON patch that leaves no metadata", "the patch leaves no object", {
    method: "PATCH",
    path: "/there",
    type: "application/json-patch+json",
    body: [{ op: "replace", path: "/metadata", value: null }],
  }),
  refused("a patch of the name to a number", "metadata.name: must be a text", {
    method: "PATCH",
    path: "/there",
    type: "application/merge-patch+json",
    body: { metadata: { name: 7 } },
  }),
  refused("an apply without a manager", "fieldManager: Required value", {
    method: "PATCH",
    path: "/there",
    type: "application/apply-patch+yaml",
    body: task("there"),
  }),
  ...[
    ["PUT", ""],
    ["PATCH", ""],
    ["POST", "/there"],
  ].map(([method = "", path = ""]): BadRequest => ({
    what: `${method} of ${path === "" ? "a collection" : "an object"}`,
    method,
    path,
    body: {},
    code: 405,
    reason: "MethodNotAllowed",
    says: "does not allow this method",
  })),
  ...["GET", "DELETE"].map((method): BadRequest => ({
    what: `${method} of an object that is not there`,
    method,
    path: "/nobody",
    code: 404,
    reason: "NotFound",
    says: 'tasks.work.example.org "nobody" not found',
    details: named("nobody"),
  })),
  unknownPath("a group that is not there", "/apis/nowhere.example.org/v1/things"),
  unknownPath("a version that is not there", "/apis/work.example.org/v9/tasks"),
  unknownPath("a kind that is not there", tasksPath().replace(/tasks$/, "jobs")),
];
