import * as z from "zod";
import { type ConfigProblem, type ParsedSyncConfig, parseSyncYaml } from "../../mirror/index.ts";
import type { YamlPath } from "../../platform/index.ts";
import { RestFault } from "./rest-fault.ts";

/** A sync.yaml, read, with the SecureValues that stand where a secret could. */
export interface GivenConfig extends ParsedSyncConfig {
  /** Names of SecureValues, by the texts that stand for them in the configuration. */
  readonly references: ReadonlyMap<string, string>;
}

/** Registries and rules of one configuration: each is a write of its own. */
const MAX_ENTRIES = 1000;

const SECRET_FIELDS: ReadonlySet<string> = new Set(["password", "token"]);

/** A configuration as JSON with the values of its variables. */
const envelope = z.object({ config: z.string(), variables: z.record(z.string(), z.string()).default({}) });

/**
 * Reads what was sent to be imported: a sync.yaml, the same as JSON, or `{"config": "<yaml>", "variables": {…}}`. The
 * server's own environment is nobody's: a variable that is not sent is an error. `password: {secret: <name>}` names a
 * SecureValue.
 * @throws {RestFault} 400, with all problems and their places; 413
 */
export function readConfig(text: string): GivenConfig {
  const { config, variables } = unwrapped(text);
  const references = new Map<string, string>();
  const parsed = parseSyncYaml(
    config,
    (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    referenceReader(references),
  );
  if (!parsed.ok) throw new RestFault(400, "the configuration is not valid", parsed.error.map(problemJson));
  const { registries, tasks } = parsed.value.config;
  if (registries.length + tasks.length > MAX_ENTRIES) {
    throw new RestFault(413, "the configuration is too large", `at most ${MAX_ENTRIES} registries and rules`);
  }
  return { ...parsed.value, references };
}

/** A problem as it is told. */
export function problemJson({ line, column, path, message }: ConfigProblem) {
  return { line, column, field: path, message };
}

function unwrapped(text: string): z.infer<typeof envelope> {
  const plain = { config: text, variables: {} };
  if (!text.trimStart().startsWith("{")) return plain;
  try {
    const parsed = envelope.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : plain;
  } catch {
    return plain;
  }
}

/** Puts a word in the place of each reference to a SecureValue, and remembers which it stands for. */
function referenceReader(references: Map<string, string>) {
  return function replace(value: unknown, path: YamlPath): unknown {
    const [section, , field, ...rest] = path;
    if (section !== "registries" || !SECRET_FIELDS.has(String(field)) || rest.length > 0) return value;
    if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return value;
    const name: unknown = Reflect.get(value, "secret");
    if (typeof name !== "string") return value;
    const word = `secret-${crypto.randomUUID()}`;
    references.set(word, name);
    return word;
  };
}
