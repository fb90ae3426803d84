const NAMED: Readonly<Record<string, string>> = {
  ...{ green: "#56a64b", "light-green": "#96d98d", blue: "#3274d9", "light-blue": "#8ab8ff", red: "#e02f44" },
  ...{ "light-red": "#ff7383", "dark-red": "#a1172a", yellow: "#e0b400", "dark-yellow": "#a38a00" },
  ...{ "super-light-yellow": "#ffe9a8", orange: "#ff780a", "light-orange": "#ffb357", purple: "#a352cc" },
  ...{ "light-purple": "#ca95e5", text: "#8e8e99" },
};
const PALETTE = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642"];

/** Grafana's colour of that name. */
export function colourOf(name: string): string {
  return NAMED[name] ?? "#8e8e99";
}

export function paletteColour(nth: number): string {
  return PALETTE[nth % PALETTE.length] ?? "#8e8e99";
}

export interface Threshold {
  readonly value: number | null;
  readonly color: string;
}

/** The colour of the highest step that the value reaches. */
export function thresholdColour(value: number, steps: readonly Threshold[]): string {
  const reached = steps.findLast((step) => step.value === null || value >= step.value);
  return colourOf(reached?.color ?? "text");
}
