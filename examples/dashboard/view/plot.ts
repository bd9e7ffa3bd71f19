/** A small plot of the last minutes. */
import { html, nothing, svg, type TemplateResult } from "lit-html";
import type { Outage } from "../model/connection.js";
import type { Sample } from "../model/samples.js";

const WIDTH = 240;
const HEIGHT = 36;

/** The least samples that the width stands for. */
const FEWEST = 60;

export interface PlotOptions {
  title: string;
  read: (sample: Sample) => number | undefined;
  format: (value: number) => string;
  /** The least value at the plot's top, so that small values look small. */
  least: number;
}

export function plot(
  samples: readonly Sample[],
  outages: readonly Outage[],
  options: PlotOptions,
): TemplateResult {
  const { title, read, format, least } = options;
  const values = samples.map(read);
  const top = Math.max(least, ...values.map((value) => value ?? 0));
  const room = Math.max(FEWEST, samples.length);
  const x = (index: number) => (WIDTH * (index + room - samples.length)) / (room - 1);
  const y = (value: number) => HEIGHT - 1 - ((HEIGHT - 3) * value) / top;
  const latest = values.at(-1);
  const now = latest === undefined ? "–" : format(latest);
  return html`<figure class="plot">
    <figcaption><span class="muted">${title}</span> <span class="now">${now}</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}: ${now}">
      <line class="floor" x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />
      ${outages.map((outage) => band(outage, samples, x))}
      <path class="line" d=${line(values, x, y)} />
    </svg>
  </figure>`;
}

function band({ from, until }: Outage, samples: readonly Sample[], x: (index: number) => number): unknown {
  const first = samples.findIndex(({ time }) => time >= from);
  if (first < 0) return nothing;
  const after = until === undefined ? samples.length : samples.findIndex(({ time }) => time > until);
  const left = x(Math.max(0, first - 1));
  const right = x(after < 0 ? samples.length - 1 : after);
  return svg`<rect class="outage" x=${left} y="0" width=${Math.max(2, right - left)} height=${HEIGHT} />`;
}

/** An SVG path. It has a gap where a value is undefined. */
function line(
  values: readonly (number | undefined)[],
  x: (i: number) => number,
  y: (v: number) => number,
): string {
  let path = "";
  let pen = "M";
  values.forEach((value, index) => {
    if (value === undefined) {
      pen = "M";
      return;
    }
    path += `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  });
  return path;
}
