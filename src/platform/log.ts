export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts that belong to one log line. Never a credential, never a body. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging: one JSON object per line, with `level`, `event` and the given fields. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Writes lines of at least `minimum` level to the console, which Workers Logs and the self-host both collect. */
export function consoleLog(minimum: LogLevel): Log {
  const threshold = LOG_LEVELS.indexOf(minimum);
  const write = (level: LogLevel) =>
    function log(event: string, fields: LogFields = {}): void {
      if (LOG_LEVELS.indexOf(level) < threshold) return;
      console[level](JSON.stringify({ level, event, ...fields }, errorsAsText));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? String(value)) : value;
}
