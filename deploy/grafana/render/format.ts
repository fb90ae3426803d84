/** A value in Grafana's unit, short; a share with so many `decimals`, where they are given. */
export function formatValue(value: number, unit: string, decimals?: number): string {
  if (!Number.isFinite(value)) return "–";
  switch (unit) {
    case "percentunit":
      return `${decimals === undefined ? short(value * 100) : (value * 100).toFixed(decimals)} %`;
    case "s":
      return duration(value);
    case "bytes":
      return scaled(value, ["B", "kB", "MB", "GB"], 1_000);
    case "reqps":
      return `${short(value)} /s`;
    case "ops":
      return `${short(value)} /s`;
    case "opm":
      return `${short(value)} /min`;
    default:
      return Math.abs(value) >= 10_000 ? scaled(value, ["", "k", "M"], 1_000) : short(value);
  }
}

function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 0.001) return `${short(seconds * 1e6)} µs`;
  if (size < 1) return `${short(seconds * 1_000)} ms`;
  if (size < 120) return `${short(seconds)} s`;
  if (size < 7_200) return `${short(seconds / 60)} min`;
  return size < 172_800 ? `${short(seconds / 3_600)} h` : `${short(seconds / 86_400)} d`;
}

function scaled(value: number, units: readonly string[], base: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log(Math.abs(value) || 1) / Math.log(base))));
  return `${short(value / base ** power)} ${units[power]}`.trimEnd();
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** `{{operation}} p50` with a series' labels. */
export function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? "");
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
