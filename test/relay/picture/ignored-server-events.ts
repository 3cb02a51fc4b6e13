import type { PictureServerEvents } from '@porthole/relay/picture/picture-server-contract';

const ignore = () => {};

/** For tests that look at some events of a picture server only. */
export const ignoredServerEvents: PictureServerEvents = {
  toViewers: ignore,
  toRecording: ignore,
  toThumbnail: ignore,
  toMachine: ignore,
  onPicture: ignore,
  onSize: ignore,
  onResizeStatus: ignore,
  onBell: ignore,
  onCutText: ignore,
  onClipboard: ignore,
  onExtendedKeys: ignore,
  onMachineFailed: ignore,
};
