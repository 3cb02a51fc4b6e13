/** The parts of the picture that one viewer has not received, in tiles of 16x16 pixels. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Damage {
  add(rect: Rect): void;
  readonly empty: boolean;
  /** Returns the damage inside `area` as a small number of rectangles, and marks it as sent. */
  take(area: Rect): Rect[];
}

const tile = 16;

export function createDamage(width: number, height: number): Damage {
  const columns = Math.ceil(width / tile);
  const rows = Math.ceil(height / tile);
  const map = new Uint8Array(columns * rows);
  let marked = 0;

  const tiles = ({ x, y, width: w, height: h }: Rect) => ({
    left: Math.max(0, Math.floor(x / tile)),
    top: Math.max(0, Math.floor(y / tile)),
    right: Math.min(columns, Math.ceil((x + w) / tile)),
    bottom: Math.min(rows, Math.ceil((y + h) / tile)),
  });

  return {
    get empty() {
      return marked === 0;
    },
    add(rect) {
      const { left, top, right, bottom } = tiles(rect);
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const at = row * columns + column;
          if (map[at] === 0) marked++;
          map[at] = 1;
        }
      }
    },
    take(area) {
      const { left, top, right, bottom } = tiles(area);
      const found: Rect[] = [];
      // A run of tiles in a row that is exactly below another run extends that one.
      let above = new Map<number, Rect>();
      for (let row = top; row < bottom; row++) {
        const here = new Map<number, Rect>();
        for (let column = left; column < right; column++) {
          if (map[row * columns + column] === 0) continue;
          const start = column;
          while (column < right && map[row * columns + column] === 1) {
            map[row * columns + column] = 0;
            marked--;
            column++;
          }
          const from = start * tile;
          const run = { x: from, y: row * tile, width: column * tile - from, height: tile };
          const upper = above.get(start);
          if (upper && upper.width === run.width) {
            upper.height += tile;
            here.set(start, upper);
          } else {
            here.set(start, run);
            found.push(run);
          }
        }
        above = here;
      }
      return found.map((rect) => ({
        ...rect,
        width: Math.min(rect.width, width - rect.x),
        height: Math.min(rect.height, height - rect.y),
      }));
    },
  };
}
