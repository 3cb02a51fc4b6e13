import type { ScreenDecoderEvents } from '@porthole/relay/picture/screen-decoder';

const ignore = () => {};

/** For tests that look at the picture only. */
export const ignoredEvents: ScreenDecoderEvents = {
  onResize: ignore,
  onUpdate: ignore,
  onCursor: ignore,
  onBell: ignore,
  onCutText: ignore,
  onClipboard: ignore,
  onLedState: ignore,
  onExtendedDesktopSize: ignore,
  onExtendedKeys: ignore,
};
