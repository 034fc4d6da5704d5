const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** An amount of bytes for people, in steps of 1000. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 999.95 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** A time that something took, in milliseconds, for people. */
export function formatTime(duration: number): string {
  const seconds = duration / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${rest} s`;
}

/** A text from somewhere else, fit for a terminal: what would steer it is left out. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}
