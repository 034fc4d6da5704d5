import * as z from "zod";
import { EXECUTIONS, SYNC_TASKS, type SyncTaskSpec } from "../kinds/index.ts";
import type { ExecutionState } from "../store/index.ts";
import { STATES_OF } from "./execution-view.ts";
import { allObjects, namespacesOf } from "./objects.ts";
import { countRegistries } from "./registries.ts";
import { type RestRoute, route } from "./route.ts";

const statistics = z.object({
  total_tasks: z.int(),
  enabled_tasks: z.int(),
  total_executions: z.int(),
  running_executions: z.int(),
  success_executions: z.int(),
  failed_executions: z.int(),
  total_registries: z.int(),
});

/** How much there is, for a front page. */
export const STATS_ROUTE: RestRoute = route({
  method: "GET",
  path: "/api/v1/stats",
  summary: "How many tasks, registries and runs there are",
  tag: "executions",
  asked: { verb: "list", kind: SYNC_TASKS },
  status: 200,
  answer: statistics,
  async handle(call) {
    const namespaces = await namespacesOf(call, SYNC_TASKS);
    const counted = { tasks: 0, enabled: 0 };
    const countable: string[] = [];
    for (const namespace of namespaces ?? [undefined]) {
      for (const { spec } of await allObjects<SyncTaskSpec>(call, SYNC_TASKS, namespace)) {
        counted.tasks += 1;
        if (spec?.enabled === true) counted.enabled += 1;
      }
      // Who may not list runs is told of none.
      if (await call.may({ verb: "list", kind: EXECUTIONS }, namespace ?? "")) countable.push(namespace ?? "");
    }
    const isAll = namespaces === undefined && countable.length > 0;
    const runs = await call.services.executions.totals(isAll ? {} : { namespaces: countable });
    const sum = (states: readonly ExecutionState[] = []) => states.reduce((all, state) => all + (runs[state] ?? 0), 0);
    return Response.json({
      total_tasks: counted.tasks,
      enabled_tasks: counted.enabled,
      total_executions: Object.values(runs).reduce((all, total) => all + total, 0),
      running_executions: sum(STATES_OF["running"]) + sum(STATES_OF["pending"]),
      success_executions: sum(STATES_OF["success"]),
      failed_executions: sum(STATES_OF["failed"]),
      total_registries: await countRegistries(call),
    } satisfies z.infer<typeof statistics>);
  },
});
