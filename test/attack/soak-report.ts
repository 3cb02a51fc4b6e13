/** What a relay holds. */
export interface Resources {
  readonly fileDescriptors: number;
  readonly timers: number;
  /** Objects and buffers after a garbage collection. */
  readonly heapBytes: number;
  readonly sessions: number;
  readonly connections: number;
  readonly screens: number;
  /** Sessions at shared screens. */
  readonly sharing: number;
}

export interface Measured extends Resources {
  /** Consoles that have become shared ones so far. */
  readonly adopted: number;
}

/** How much more than at the start a relay may hold at the end. */
export const tolerances: Resources = {
  fileDescriptors: 0,
  timers: 0,
  heapBytes: 8 * 1024 * 1024,
  sessions: 0,
  connections: 0,
  screens: 0,
  sharing: 0,
};

export interface SoakResult {
  readonly seconds: number;
  readonly clients: number;
  /** Consoles that became shared ones. */
  readonly adopted: number;
  readonly start: Resources;
  readonly end: Resources;
}

/** The names of what did not return to where it started. */
export function exceeded({ start, end }: Pick<SoakResult, 'start' | 'end'>): string[] {
  return (Object.keys(tolerances) as (keyof Resources)[]).filter(
    (name) => end[name] > start[name] + tolerances[name],
  );
}

/** The result as a table in Markdown. */
export function formatReport({ seconds, clients, adopted, start, end }: SoakResult): string {
  const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  const rows: [string, string, string, string][] = [
    [
      'file descriptors',
      `${start.fileDescriptors}`,
      `${end.fileDescriptors}`,
      `${tolerances.fileDescriptors}`,
    ],
    ['timers', `${start.timers}`, `${end.timers}`, `${tolerances.timers}`],
    ['heap after garbage collection', mib(start.heapBytes), mib(end.heapBytes), mib(tolerances.heapBytes)],
    ['sessions', `${start.sessions}`, `${end.sessions}`, `${tolerances.sessions}`],
    ['connections', `${start.connections}`, `${end.connections}`, `${tolerances.connections}`],
    ['shared screens', `${start.screens}`, `${end.screens}`, `${tolerances.screens}`],
    ['sessions at them', `${start.sharing}`, `${end.sharing}`, `${tolerances.sharing}`],
  ];
  return [
    `${clients} clients in ${seconds} s. ${adopted} consoles became shared ones.`,
    '',
    '| A relay holds | Start | End | Tolerance |',
    '| --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');
}
