import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { availableParallelism } from "node:os";
import path from "node:path";
import type { AcceptorOptions, WorkerMessage } from "./front-worker.ts";

/** Beside this module, and compiled as this module is. */
const WORKER_SCRIPT = path.join(import.meta.dirname, `front-worker${path.extname(import.meta.filename)}`);

/** What the front is started with. */
export interface FrontOptions extends Omit<AcceptorOptions, "ticketKeys"> {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** How many processes serve; as many as there are cores by default. */
  readonly workers?: number;
}

/** What is in front of the Worker where clients are not on this machine, or come by TLS. */
export interface Front {
  readonly port: number;
  /**
   * Takes no new connection, and ends those that never asked for anything. The others end with those of the Worker,
   * which knows what is running, or after `patience` milliseconds. Resolves when all have.
   */
  close(patience: number): Promise<void>;
}

/** A process that serves connections. */
interface FrontWorker {
  readonly process: ChildProcess;
  /** How many connections it has. */
  open: number;
  /** Those on their way to it. */
  readonly sent: Set<net.Socket>;
}

/**
 * Accepts connections, and gives each to the process that has the fewest. There are as many processes as are of use:
 * another starts, up to the limit, when a connection comes and every one has some. One that dies makes room for its
 * successor. Resolves once it listens.
 */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { host, port, workers: limit = availableParallelism(), ...rest } = options;
  const start: AcceptorOptions = { ...rest, ticketKeys: randomBytes(48).toString("base64") };
  const workers = new Set<FrontWorker>();
  let closing = false;

  const startWorker = (): FrontWorker => {
    const child = fork(WORKER_SCRIPT, { execArgv: [] });
    const worker: FrontWorker = { process: child, open: 0, sent: new Set() };
    workers.add(worker);
    child.on("error", (error) => console.error(`front: ${error.message}`));
    child.on("message", () => {
      worker.open -= 1;
    });
    child.once("exit", (code, signal) => {
      workers.delete(worker);
      for (const connection of worker.sent) connection.destroy();
      if (!closing) console.error(`a process of the front ended (${signal ?? `code ${code}`})`);
    });
    tell(worker, { start });
    return worker;
  };
  const leastBusy = (): FrontWorker => {
    const least = [...workers].toSorted((a, b) => a.open - b.open)[0];
    if (least === undefined || (least.open > 0 && workers.size < limit)) return startWorker();
    return least;
  };
  const server = net.createServer({ pauseOnConnect: true }, (connection) => {
    connection.on("error", () => {});
    const worker = leastBusy();
    worker.open += 1;
    worker.sent.add(connection);
    // The worker has its own copy once it is sent. This one is kept until then: were the worker to die, nobody else could
    // end the connection.
    worker.process.send("connection" satisfies WorkerMessage, connection, { keepOpen: true }, () => {
      worker.sent.delete(connection);
      connection.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  // The first client is not to wait for it.
  startWorker();
  return {
    port: (server.address() as AddressInfo).port,
    async close(patience) {
      closing = true;
      server.close();
      await Promise.all([...workers].map(async (worker) => endWorker(worker, patience)));
    },
  };
}

/** Tells a worker something. One that cannot be told is about to end. */
function tell({ process: child }: FrontWorker, message: WorkerMessage): void {
  child.send(message, () => {});
}

/** Has a worker end when its connections have, and ends it if they go on. */
async function endWorker(worker: FrontWorker, patience: number): Promise<void> {
  const exited = once(worker.process, "exit");
  const timer = setTimeout(() => worker.process.kill("SIGKILL"), patience);
  tell(worker, "close");
  await exited;
  clearTimeout(timer);
}
