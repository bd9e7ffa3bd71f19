/** The style sheet's colours, for scripts that need them. */

const RANK_COLOURS = 8;

/** The CSS class for a rank's colour. */
export const rankClass = (rank: number): string => `rank-${rank % RANK_COLOURS}`;

/** The style sheet's value: "#1b2129" for "--text". */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export const rankColour = (rank: number): string => colour(`--rank-${rank % RANK_COLOURS}`);

/** The SGR sequence that sets the text colour to `hex`, such as "#0072b2". */
export function sgr(hex: string): string {
  const [, red = "0", green = "0", blue = "0"] = /^#(..)(..)(..)$/.exec(hex) ?? [];
  return `\x1b[38;2;${[red, green, blue].map((part) => Number.parseInt(part, 16)).join(";")}m`;
}
