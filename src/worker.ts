import { waitUntil } from "cloudflare:workers";
import { serve } from "./app.ts";
import type { Env } from "./platform/index.ts";
import { servicesOf } from "./services.ts";

export { ExecutionHub, LoginGuard, RegistryBudget, UploadSession, WatchHub } from "./services.ts";

/** The names that queues have in `wrangler.toml`. */
const DEAD_LETTERS = "entrepot-maintenance-dead";
const SYNC = "entrepot-sync";
const SYNC_DEAD_LETTERS = "entrepot-sync-dead";

/** What a self-host's clock sends instead of a cron expression after it started the server, and before it stops it. */
const START = "@start";
const STOP = "@stop";

export default {
  fetch: serve,

  async scheduled(controller, env) {
    const services = servicesOf(env);
    if (controller.cron === STOP) services.stop();
    else if (controller.cron === START) await services.sync.maintenance.restart();
    else await services.maintenance.plan(controller.scheduledTime);
  },

  async queue(batch, env) {
    const { maintenance, sync, log } = servicesOf(env);
    for (const message of batch.messages) {
      const { body } = message;
      if (batch.queue === DEAD_LETTERS) maintenance.giveUp(body);
      else if (batch.queue === SYNC_DEAD_LETTERS) await sync.runner.giveUp(body);
      else if (batch.queue !== SYNC) await maintenance.run(body);
      // The queues of a self-host deliver one message after the other, and a step of mirroring may take minutes. One
      // that fails there is found by the clock.
      else if (env.DISK === undefined) await sync.runner.run(body);
      else waitUntil(sync.runner.run(body).catch((error: unknown) => log.error("sync.failed", { error })));
      message.ack();
    }
  },
} satisfies ExportedHandler<Env>;
