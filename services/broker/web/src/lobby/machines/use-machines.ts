import { useState } from 'preact/hooks';
import { api, type Machine, type MachineList } from '../../api.ts';
import { announceChanges } from '../../texts/machines.ts';
import { usePolling, type Polled } from '../use-polling.ts';
import { statusChanges } from './sort-machines.ts';

export interface Machines extends Polled<MachineList> {
  /** Changes of status, for screen readers. */
  readonly news: string;
}

export function useMachines(onSignedOut: () => void): Machines {
  const [news, setNews] = useState('');
  const polled = usePolling({
    intervalMs: 4000,
    start() {
      let before: readonly Machine[] = [];
      return async () => {
        const answer = await api.machines();
        if (!answer.ok) return answer;
        const changes = statusChanges(before, answer.value.consoles);
        if (changes.length > 0) setNews(announceChanges(changes));
        before = answer.value.consoles;
        return answer;
      };
    },
    onSignedOut,
  });
  return { ...polled, news };
}
