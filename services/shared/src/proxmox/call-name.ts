/** Names of calls in metrics: a closed list, because paths contain machine numbers. */
export const callNames = [
  'resources',
  'machine_status',
  'console',
  'power',
  'task',
  'cluster_status',
  'permissions',
  'sign_in',
  'version',
  'other',
] as const;
export type CallName = (typeof callNames)[number];

const patterns: readonly (readonly [RegExp, CallName])[] = [
  [/^\/cluster\/resources$/, 'resources'],
  [/^\/nodes\/[^/]+\/(?:qemu|lxc)\/\d+\/status\/current$/, 'machine_status'],
  [/^\/nodes\/[^/]+\/(?:qemu|lxc)\/\d+\/(?:vncproxy|termproxy)$/, 'console'],
  [/^\/nodes\/[^/]+\/termproxy$/, 'console'],
  [/^\/nodes\/[^/]+\/(?:qemu|lxc)\/\d+\/status\/\w+$/, 'power'],
  [/^\/nodes\/[^/]+\/tasks\//, 'task'],
  [/^\/cluster\/status$/, 'cluster_status'],
  [/^\/access\/permissions$/, 'permissions'],
  [/^\/access\/(?:ticket|domains)$/, 'sign_in'],
  [/^\/version$/, 'version'],
];

export function callNameOf(path: string): CallName {
  const [pathname = ''] = path.split('?', 1);
  return patterns.find(([pattern]) => pattern.test(pathname))?.[1] ?? 'other';
}
