import { serve } from "./app.ts";
import type { Env } from "./platform/index.ts";
import { servicesOf } from "./services.ts";

export { LoginGuard, UploadSession, WatchHub } from "./services.ts";

/** The name that the dead-letter queue has in `wrangler.toml`. */
const DEAD_LETTERS = "entrepot-maintenance-dead";

/** What a self-host's clock sends instead of a cron expression before it stops the server. */
const STOP = "@stop";

export default {
  fetch: serve,

  async scheduled(controller, env) {
    const services = servicesOf(env);
    if (controller.cron === STOP) services.stop();
    else await services.maintenance.plan(controller.scheduledTime);
  },

  async queue(batch, env) {
    const { maintenance } = servicesOf(env);
    for (const message of batch.messages) {
      if (batch.queue === DEAD_LETTERS) maintenance.giveUp(message.body);
      else await maintenance.run(message.body);
      message.ack();
    }
  },
} satisfies ExportedHandler<Env>;
