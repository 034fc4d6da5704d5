export { createNotifier, type Notifier, type NotifierPorts } from "./notifier.ts";
