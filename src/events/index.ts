export type { ContentEvent } from "./event.ts";
export { appendEvent, pruneEvents } from "./event-store.ts";
