export type RecordingState = 'complete' | 'running' | 'unfinished' | 'damaged';

/** A recording in a list. Without readable index it has neither user nor machine. */
export interface Recording {
  readonly id: string;
  readonly user?: { readonly id: string; readonly displayName?: string };
  readonly machine?: {
    readonly cluster: string;
    readonly node: string;
    readonly type: 'qemu' | 'lxc' | 'node';
    readonly vmid?: number;
    readonly name?: string;
  };
  readonly kind?: 'screen' | 'terminal';
  readonly mode?: 'control' | 'view';
  readonly class?: string;
  readonly startedAt: string;
  readonly durationSeconds: number;
  readonly bytes: number;
  readonly state: RecordingState;
  readonly held: boolean;
}

export interface RecordingList {
  readonly recordings: readonly Recording[];
  /** Missing on the last page. */
  readonly next?: string;
  readonly mayManage: boolean;
}

export interface RecordingFilter {
  readonly user?: string;
  readonly machine?: string;
  readonly class?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Pairs of time in milliseconds and number of the chunk, in order. */
type Positions = { readonly entries: readonly (readonly [number, number])[] };

export interface RecordingPart {
  readonly part: string;
  readonly chunkCount: number;
  readonly index?: {
    readonly startedAt: string;
    readonly durationMs: number;
    readonly endReason?: string;
    readonly activity: {
      readonly bucketSeconds: number;
      readonly bytes: readonly number[];
      readonly keys: readonly number[];
      readonly pointer: readonly number[];
    };
    readonly chunks: Positions;
    readonly keyframes: Positions;
    readonly observers: readonly (readonly [number, boolean, string])[];
    readonly marks: readonly (readonly [number, string, string])[];
  };
}

export interface RecordingDetails extends Recording {
  readonly mayManage: boolean;
  readonly parts: readonly RecordingPart[];
  readonly problems: readonly { readonly kind: string; readonly part?: string; readonly chunk?: number }[];
}
