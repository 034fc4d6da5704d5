import { app } from "./app.ts";
import type { Env } from "./platform/index.ts";
import { servicesOf } from "./services.ts";

export { UploadSession } from "./services.ts";

/** The name that the dead-letter queue has in `wrangler.toml`. */
const DEAD_LETTERS = "entrepot-maintenance-dead";

export default {
  fetch: app.fetch,

  async scheduled(controller, env) {
    await servicesOf(env).maintenance.plan(controller.scheduledTime);
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
