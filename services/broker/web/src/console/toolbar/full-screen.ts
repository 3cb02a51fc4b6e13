interface KeyboardLock {
  lock?: () => Promise<void>;
}

/** In full screen even Escape and Ctrl+W belong to the machine, where the browser allows it. */
export async function toggleFullScreen(): Promise<void> {
  try {
    if (document.fullscreenElement) return await document.exitFullscreen();
    await document.documentElement.requestFullscreen({ navigationUI: 'hide' });
    await (navigator as Navigator & { keyboard?: KeyboardLock }).keyboard?.lock?.();
  } catch {
    // A phone that has no full screen for pages, or a person who said no: the console works as it is.
  }
}

export function onFullScreenChange(listener: (full: boolean) => void): () => void {
  const changed = () => listener(document.fullscreenElement !== null);
  document.addEventListener('fullscreenchange', changed);
  return () => document.removeEventListener('fullscreenchange', changed);
}
