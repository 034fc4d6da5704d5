/**
 * Stands in for `cloudflare:workers` in unit tests, which run on Node: modules that only share a folder's front door
 * with a Durable Object can be loaded. Nothing here works; what needs the runtime is tested in `test/workerd`.
 */
export class DurableObject {
  protected readonly ctx: unknown;
  protected readonly env: unknown;

  constructor(ctx: unknown, env: unknown) {
    this.ctx = ctx;
    this.env = env;
  }
}
