const pollMs = 40;
const probeSize = 6;

/**
 * Calls `listener` when the canvas shows the machine's first frame. Returns a function that stops waiting.
 *
 * noVNC reports when it has read the screen's size, not when it has drawn. The canvas shows it: a new canvas is
 * transparent, and everything that a machine draws is opaque, even black. Counting updates would not do, because
 * QEMU's first one can hold nothing but a cursor or a size.
 *
 * The canvas is drawn into a tiny one, which is read: reading the large one would make the browser move it out of
 * the graphics card for good. A timer, because hidden tabs get no animation frames.
 */
export function onFirstFrame(canvas: HTMLCanvasElement, listener: () => void): () => void {
  const probe = document.createElement('canvas');
  probe.width = probeSize;
  probe.height = probeSize;
  const context = probe.getContext('2d', { willReadFrequently: true });
  const timer = setInterval(() => {
    if (!context || canvas.width === 0 || canvas.height === 0) return;
    context.drawImage(canvas, 0, 0, probeSize, probeSize);
    const { data } = context.getImageData(0, 0, probeSize, probeSize);
    if (!data.some((value, index) => index % 4 === 3 && value > 0)) return;
    clearInterval(timer);
    listener();
  }, pollMs);
  return () => clearInterval(timer);
}
