import type { Machine } from '../../api.ts';
import { consolePath } from '../../paths.ts';

/** What a click on a machine opens: its screen, to use or to look at, or its terminal where that is all there is. */
export function defaultConsolePath({ cluster, vmid, allow, kinds }: Machine): string {
  if (allow.includes('control')) return consolePath(cluster, vmid);
  return kinds.includes('screen')
    ? consolePath(cluster, vmid, 'view')
    : consolePath(cluster, vmid, 'control', 'terminal');
}
