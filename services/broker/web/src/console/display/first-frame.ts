/**
 * When is there a picture? noVNC says when it has read the screen's size, not when it drew. Its canvas tells:
 * a new canvas is transparent, and whatever a machine draws, black included, is opaque. Counting frames would
 * not do, because the first update of QEMU may hold nothing but a cursor or a size.
 *
 * The canvas is drawn into a tiny one and that one is read: reading the large one would make the browser move
 * it out of the graphics card for good. A timer, not an animation frame, because hidden tabs have none.
 */
const lookEvery = 40;
const probeSize = 6;

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
  }, lookEvery);
  return () => clearInterval(timer);
}
