const MINUTE = 60_000;

/** Calls `tick` at the start of every minute, until the returned function is called. A tick that fails is reported. */
export function startCronClock(tick: (minute: Date) => Promise<void>, report: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout;
  let last = 0;
  const schedule = (): void => {
    // A timer may fire just before its time; the minute after the last one is never the last one again.
    const next = Math.max(Math.ceil((Date.now() + 1) / MINUTE) * MINUTE, last + MINUTE);
    last = next;
    timer = setTimeout(() => {
      tick(new Date(next)).catch(report);
      schedule();
    }, next - Date.now());
  };
  schedule();
  return () => clearTimeout(timer);
}
