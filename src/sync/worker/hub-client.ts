import type { Log } from "../../platform/index.ts";
import type { ExecutionHubCalls, RunReport } from "./execution-hub.ts";

/** Takes down what happens in runs, and has clients told. */
export interface RunHub {
  report(execution: number, report: RunReport): Promise<void>;
  tell(execution: number): Promise<void>;
}

/** The live channel, for clients. */
export interface LiveChannel {
  /**
   * Answers a request for a WebSocket. `namespaces` are those whose runs the client may see, all if absent; `since` is
   * the number of the last event that it knows; with `execution` it is told of that run only.
   */
  connect(options: {
    readonly namespaces?: readonly string[];
    readonly since?: number;
    readonly execution?: number;
  }): Promise<Response>;
}

const NAME = "hub";

/** The hub in its Durable Object. Runs go on if it cannot be reached; what they report then is lost. */
export function executionHub(objects: DurableObjectNamespace, log: Log): RunHub & LiveChannel {
  // A stub is of no use after its object failed once.
  const stub = () => objects.get(objects.idFromName(NAME));
  const call = async (work: (hub: ExecutionHubCalls) => Promise<void>): Promise<void> => {
    try {
      await work(stub() as unknown as ExecutionHubCalls);
    } catch (error) {
      log.warn("sync.hub-unreachable", { error });
    }
  };
  return {
    report: (execution, report) => call((hub) => hub.report(execution, report)),
    tell: (execution) => call((hub) => hub.tell(execution)),
    async connect({ namespaces, since, execution }) {
      const url = new URL("http://execution-hub/");
      if (namespaces !== undefined) url.searchParams.set("namespaces", JSON.stringify(namespaces));
      if (execution !== undefined) url.searchParams.set("execution", String(execution));
      if (since !== undefined) url.searchParams.set("since", String(since));
      return stub().fetch(url.href, { headers: { upgrade: "websocket" } });
    },
  };
}
