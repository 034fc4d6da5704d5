import { serve } from "./app.ts";
import { deliver } from "./operations/index.ts";
import type { Env } from "./platform/index.ts";
import { servicesOf } from "./services.ts";

export { ExecutionHub, LoginGuard, RegistryBudget, UploadSession, WatchHub } from "./services.ts";

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
    await deliver(batch.messages, servicesOf(env).messages);
  },
} satisfies ExportedHandler<Env>;
