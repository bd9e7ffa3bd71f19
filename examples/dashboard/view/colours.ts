/** The colours of the style sheet, where the page has to know them. */

const RANK_COLOURS = 8;

/** The class of what has a rank's colour. */
export const rankClass = (rank: number): string => `rank-${rank % RANK_COLOURS}`;

/** A colour of the style sheet: "--text" is "#1b2129". */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export const rankColour = (rank: number): string => colour(`--rank-${rank % RANK_COLOURS}`);

/** The sequence that makes what follows it of a colour such as "#0072b2". */
export function sgr(hex: string): string {
  const [, red = "0", green = "0", blue = "0"] = /^#(..)(..)(..)$/.exec(hex) ?? [];
  return `\x1b[38;2;${[red, green, blue].map((part) => Number.parseInt(part, 16)).join(";")}m`;
}
