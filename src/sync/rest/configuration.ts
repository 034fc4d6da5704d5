import * as z from "zod";
import { BODY_FAULT_STATUS, bodyFaultMessage, readBodyText } from "../../http/index.ts";
import { REGISTRIES, SYNC_TASKS } from "../kinds/index.ts";
import { readConfig } from "./config-text.ts";
import { exportConfig } from "./export-config.ts";
import { importAnswer, importConfig } from "./import-config.ts";
import { RestFault } from "./rest-fault.ts";
import { placed, type RestRoute, route } from "./route.ts";

const PATH = "/api/v1/sync/config";
const tag = "configuration";
/** Bytes of a configuration at the most. */
const MAX_CONFIG = 1024 * 1024;
const YAML = "application/yaml";

/** A whole configuration at once. */
export const CONFIG_ROUTES: readonly RestRoute[] = [
  route({
    method: "POST",
    path: PATH,
    summary:
      'Makes or changes the registries and tasks of a sync.yaml. Variables: `{"config": "<yaml>", "variables": {"NAME": "value"}}`. A SecureValue: `password: {secret: <name>}`',
    tag,
    asked: { verb: "create", kind: SYNC_TASKS },
    query: z.strictObject({
      ...placed.shape,
      dryRun: z.enum(["true", "false"]).default("false").describe("Only says what it would do."),
    }),
    takes: [YAML, "application/json"],
    status: 200,
    answer: importAnswer,
    failures: { 207: "Some were refused; the others are written." },
    async handle(call, { dryRun }) {
      const answer = await importConfig(call, readConfig(await textOf(call.request)), dryRun !== "true");
      const isWhole = [...answer.registries, ...answer.tasks].every(({ status }) => status !== "failed");
      return Response.json(answer, { status: isWhole ? 200 : 207 });
    },
  }),
  route({
    method: "GET",
    path: PATH,
    summary: "The registries and tasks of a namespace as a sync.yaml, with variables in place of secrets",
    tag,
    asked: { verb: "list", kind: SYNC_TASKS },
    status: 200,
    answer: YAML,
    async handle(call) {
      if (call.namespace === "*") throw new RestFault(400, "a configuration is of one namespace");
      await call.require({ verb: "list", kind: REGISTRIES }, call.namespace);
      const disposition = `attachment; filename="sync.yaml"`;
      const headers = { "content-type": YAML, "content-disposition": disposition };
      return new Response(await exportConfig(call), { headers });
    },
  }),
];

/** @throws {RestFault} 413, 408 */
async function textOf(request: Request): Promise<string> {
  const read = await readBodyText(request, { limit: MAX_CONFIG });
  if (read.ok) return read.value;
  throw new RestFault(BODY_FAULT_STATUS[read.error.reason], bodyFaultMessage(read.error));
}
