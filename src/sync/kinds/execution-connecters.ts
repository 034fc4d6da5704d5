import { type Connecter, type ResourceClient, StatusError } from "../../resources/index.ts";
import { type ExecutionStore, isActive, type LogStore } from "../store/index.ts";
import { executionObject } from "./execution.ts";
import { executionLogs } from "./execution-logs.ts";
import { findExecution } from "./execution-storage.ts";
import { EXECUTIONS } from "./names.ts";
import type { TaskControl } from "./ports.ts";
import { findTask, runRefusal } from "./task-connecters.ts";

/** What the subresources of runs work with. */
export interface ExecutionConnecterPorts {
  /** Asked for when it is needed, not before: it may be made after the group. */
  readonly client: () => ResourceClient;
  readonly executions: ExecutionStore;
  readonly logs: LogStore;
  readonly control: TaskControl;
  /** How often a followed log is looked at, in milliseconds; a second unless given. */
  readonly pollInterval?: number;
}

/** `GET …/logs`, `POST …/stop` and `POST …/retry` of a run. */
export function executionConnecters(ports: ExecutionConnecterPorts): Connecter[] {
  const { executions, control, client } = ports;
  return [
    {
      subresource: "logs",
      description:
        "The log, as text or JSON (`?format=`): `?offset`, `?limit`, `?after=<id>`, and `?follow=true` until the run ends.",
      methods: ["GET"],
      async connect(_context, { namespace, name }, request) {
        return executionLogs(ports, await findExecution(executions, { namespace, name }), request);
      },
    },
    {
      subresource: "stop",
      description: "Stops the run within seconds. 409 if it has ended.",
      methods: ["POST"],
      async connect(_context, { namespace, name }) {
        const stopped = await control.stop(await findExecution(executions, { namespace, name }));
        if (stopped === undefined) throw conflictOf(name, "the execution has ended");
        return Response.json(executionObject(stopped));
      },
    },
    {
      subresource: "retry",
      description: "Runs what failed in this run once more, and nothing else. Answers the new Execution.",
      methods: ["POST"],
      async connect({ identity }, { namespace, name }) {
        const run = await findExecution(executions, { namespace, name });
        if (isActive(run)) throw conflictOf(name, "the execution has not ended");
        if (run.itemsFailed === 0) throw conflictOf(name, "nothing of the execution failed");
        const task = await findTask(client(), { namespace, name: run.task });
        if (task.metadata.uid !== run.taskUid) throw conflictOf(name, "its task is gone, and another has its name");
        const options = { cause: "retry", actor: identity.name, onlyFailedOf: run.id } as const;
        const begun = await control.run(task, options);
        if (!begun.ok) throw runRefusal(begun.error, run.task);
        return Response.json(executionObject(begun.value), { status: 201 });
      },
    },
  ];
}

function conflictOf(name: string, message: string): StatusError {
  return new StatusError("Conflict", message, { name, group: EXECUTIONS.group, kind: EXECUTIONS.plural });
}
