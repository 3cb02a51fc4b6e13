/** The machine's last frame, shown in place while there is no live one. */
export interface LastFrame {
  /** Copies the live canvas to the same place on the page. */
  capture(live: HTMLCanvasElement): void;
  hide(): void;
}

export function createLastFrame(canvas: HTMLCanvasElement): LastFrame {
  return {
    capture(live) {
      if (live.width === 0 || live.height === 0) return;
      const box = live.getBoundingClientRect();
      canvas.width = live.width;
      canvas.height = live.height;
      canvas.getContext('2d')?.drawImage(live, 0, 0);
      canvas.style.left = `${box.left}px`;
      canvas.style.top = `${box.top}px`;
      canvas.style.width = `${box.width}px`;
      canvas.style.height = `${box.height}px`;
      canvas.hidden = false;
    },
    hide() {
      canvas.hidden = true;
      // An empty canvas holds no memory.
      canvas.width = 0;
      canvas.height = 0;
    },
  };
}
