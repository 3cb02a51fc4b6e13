import type { EncodedCursor } from './encoded-cursor.ts';
import type { Framebuffer } from './framebuffer.ts';

/** What a picture server knows of its machine, as its viewers need it. */
export interface MachineState {
  readonly picture: Framebuffer;
  /** The version since which the picture has its size. */
  readonly sizeVersion: number;
  /** Whether the machine has another size already, and its picture is not complete. */
  readonly resizing: boolean;
  /** Whether it accepts requests for other sizes. */
  readonly resizable: boolean;
  /** Tiles of this version and of earlier ones are quiet. */
  readonly quietVersion: number;
  readonly cursor: EncodedCursor | undefined;
  readonly ledState: number | undefined;
  readonly extendedKeys: boolean;
}
