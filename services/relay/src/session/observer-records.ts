import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import type { PartRecorder } from '../recording/part-recorder.ts';

/** Records who begins and ends to observe, as the page is told. Observers beyond those that are named are not recorded. */
export function createObserverRecords(
  recorder: Pick<PartRecorder, 'record'>,
): (message: ControlMessage) => void {
  let present: readonly string[] = [];
  return (message) => {
    if (message.type !== 'observers') return;
    for (const user of present)
      if (!message.by.includes(user)) recorder.record({ type: 'observer', joined: false, user });
    for (const user of message.by)
      if (!present.includes(user)) recorder.record({ type: 'observer', joined: true, user });
    present = message.by;
  };
}
