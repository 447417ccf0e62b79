// A link as a QR code, for whoever sits beside the screen: one path of squares, drawn by the browser. The
// encoder is vendored (vendor/README.md); a code that is photographed is as secret as the link itself.

import { correction, generate } from './vendor/qr.js';

// Light modules around the code (ISO/IEC 18004, 9.1).
export const QUIET = 4;

/** @typedef {{size: number, path: string}} Code size: of the whole with its quiet zone, in modules; path: of an SVG */

/** code draws a text.
 * @param {string} text @returns {Code} */
export function code(text) {
  /** @type {any} */
  const draw = generate;
  /** @type {{size: number, get(x: number, y: number): boolean}} */
  const made = draw(text, { minCorrectionLevel: correction.M });
  let path = '';
  for (let y = 0; y < made.size; y++) {
    for (let x = 0; x < made.size; x++) {
      // A row of dark modules at once.
      let width = 0;
      while (made.get(x + width, y)) width++;
      if (width > 0) path += `M${x + QUIET} ${y + QUIET}h${width}v1h-${width}z`;
      x += width;
    }
  }
  return { size: made.size + 2 * QUIET, path };
}
