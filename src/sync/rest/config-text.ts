import { isMap, isScalar, parseDocument } from "yaml";
import { z } from "zod";
import { type ConfigProblem, type ParsedSyncConfig, parseSyncYaml } from "../../mirror/index.ts";
import { RestFault } from "./rest-fault.ts";

/** A sync.yaml, read, with the SecureValues that stand where a secret could. */
export interface GivenConfig extends ParsedSyncConfig {
  /** Names of SecureValues, by the texts that stand for them in the configuration. */
  readonly references: ReadonlyMap<string, string>;
}

const SECRET_FIELDS: ReadonlySet<string> = new Set(["password", "token"]);

/** A configuration as JSON with the values of its variables. */
const envelope = z.object({ config: z.string(), variables: z.record(z.string(), z.string()).default({}) });

/**
 * Reads what was sent to be imported: a sync.yaml, the same as JSON, or `{"config": "<yaml>", "variables": {…}}`. The
 * server's own environment is nobody's: a variable that is not sent is an error. `password: {secret: <name>}` names a
 * SecureValue.
 * @throws {RestFault} 400, with all problems and their places
 */
export function readConfig(text: string): GivenConfig {
  const { config, variables } = unwrapped(text);
  const { text: plain, references } = withoutReferences(config);
  const parsed = parseSyncYaml(plain, (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined));
  if (!parsed.ok) throw new RestFault(400, "the configuration is not valid", parsed.error.map(problemJson));
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

/** The text with a word for each reference to a SecureValue. Lines stay where they are. */
function withoutReferences(text: string): { readonly text: string; readonly references: ReadonlyMap<string, string> } {
  const references = new Map<string, string>();
  const registries = parseDocument(text, { prettyErrors: false }).get("registries");
  if (!isMap(registries)) return { text, references };
  const cuts: { readonly from: number; readonly to: number; readonly word: string }[] = [];
  for (const { value: entry } of registries.items) {
    if (!isMap(entry)) continue;
    for (const { key, value } of entry.items) {
      const name = isMap(value) && value.items.length === 1 ? value.get("secret") : undefined;
      if (!isScalar(key) || !SECRET_FIELDS.has(String(key.value))) continue;
      if (!isMap(value) || typeof name !== "string" || value.range === undefined || value.range === null) continue;
      const word = `secret-${crypto.randomUUID()}`;
      const [from, to] = value.range;
      references.set(word, name);
      cuts.push({ from, to, word });
    }
  }
  let plain = text;
  for (const { from, to, word } of cuts.toReversed()) {
    const lines = text.slice(from, to).replaceAll(/[^\n]/g, "");
    plain = `${plain.slice(0, from)}${word}${lines}${plain.slice(to)}`;
  }
  return { text: plain, references };
}
