/** The complete picture of a screen, as a viewer could get it: an RFB update that needs nothing before it. */
export interface Keyframe {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}
