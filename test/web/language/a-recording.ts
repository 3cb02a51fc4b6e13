export const recordingId = '20260901-080000-0123456789abcdef0123456789abcdef';

/** A recording without pictures, as its page and the list get it. */
export const aRecording = {
  id: recordingId,
  user: { id: 'local:ada', displayName: 'Ada' },
  machine: { cluster: 'lab', node: 'pve1', type: 'qemu', vmid: 101, name: 'lab-ada' },
  kind: 'terminal',
  startedAt: '2026-09-01T08:00:00.000Z',
  durationSeconds: 65,
  bytes: 1_200_000,
  state: 'damaged',
  held: false,
  mayManage: true,
  parts: [
    {
      part: '0000',
      chunkCount: 0,
      index: {
        startedAt: '2026-09-01T08:00:00.000Z',
        durationMs: 65_000,
        activity: { bucketSeconds: 5, bytes: [5, 0, 7], keys: [1, 0, 0], pointer: [0, 0, 1] },
        chunks: { entries: [] },
        keyframes: { entries: [] },
        observers: [[5000, true, 'Ina']],
        marks: [[9000, 'gap', '']],
      },
    },
  ],
  problems: [{ kind: 'missing_chunk', part: '0000', chunk: 1 }],
};
